from io import BytesIO
from typing import Any

import fastavro
import pytest

from schemas.avro import Schema, physical, schema
from schemas.columnar import Undecodable, columns_between
from schemas.events import RECORD_TYPES

COLOUR = {"type": "enum", "name": "Colour", "symbols": ["unknown", "red"], "default": "unknown"}
NEWER_COLOUR = COLOUR | {"symbols": ["unknown", "red", "blue"]}
WORDS = {"type": "map", "values": "string"}


def record(*fields: tuple[Any, ...]) -> Schema:
    """A schema of fields (name, type) or (name, type, default)."""
    keys = ("name", "type", "default")
    return {"type": "record", "name": "Thing", "fields": [dict(zip(keys, field, strict=False)) for field in fields]}


def datums(writer: Schema, rows: list[dict[str, Any]]) -> list[bytes]:
    written = []
    for row in rows:
        out = BytesIO()
        fastavro.schemaless_writer(out, fastavro.parse_schema(writer), row)
        written.append(out.getvalue())
    return written


@pytest.mark.parametrize(
    ("written", "read", "values"),
    [
        (("a", "int"), ("a", "long"), [1, -(2**31)]),
        (("a", "int"), ("a", "double"), [1, -(2**31)]),
        (("a", "long"), ("a", "double"), [2**53 + 1, -(2**63)]),
        (("a", "float"), ("a", "double"), [0.5, -2.0]),
        (("a", "string"), ("a", ["null", "string"]), ["", "é"]),
        (("a", ["null", "int"]), ("a", ["null", "long"]), [None, 3]),
        (("a", ["string", "null"]), ("a", ["null", "string"]), [None, "x"]),
        (("a", NEWER_COLOUR), ("a", COLOUR), ["red", "blue", "unknown"]),
        (("a", COLOUR), ("a", NEWER_COLOUR), ["red", "unknown"]),
        (("a", ["null", NEWER_COLOUR]), ("a", ["null", COLOUR]), ["red", None, "blue"]),
        (("a", "int"), ("b", "string", "none"), [1]),
        (("a", "int"), ("b", ["null", "long"], None), [1]),
        (("a", "int"), ("b", "boolean", True), [1]),
        (("a", "int"), ("b", "double", 0.5), [1]),
        (("a", "int"), ("b", COLOUR, "red"), [1]),
    ],
    ids=str,
)
def test_columns_resolve_as_a_reader_of_single_datums_does(
    written: tuple[Any, ...], read: tuple[Any, ...], values: list[Any]
) -> None:
    writer, reader = record(written, ("last", "int")), record(read)
    rows = datums(writer, [{"a": value, "last": 1} for value in values])
    columns = columns_between(writer, reader)
    assert columns is not None
    batch, exact = columns.decode(rows)
    parsed = fastavro.parse_schema(writer), fastavro.parse_schema(reader)
    assert batch.to_pylist() == [fastavro.schemaless_reader(BytesIO(row), *parsed) for row in rows]
    assert exact.all()


def test_a_new_map_is_empty() -> None:
    columns = columns_between(record(("a", "int")), record(("a", "int"), ("words", WORDS, {})))
    assert columns is not None
    batch, _ = columns.decode(datums(record(("a", "int")), [{"a": 1}, {"a": 2}]))
    assert batch["words"].to_pylist() == [[], []]


def test_a_renamed_field_is_found_by_its_alias() -> None:
    reader = record(("b", "int"))
    reader["fields"][0]["aliases"] = ["a"]
    columns = columns_between(record(("a", "int")), reader)
    assert columns is not None
    batch, _ = columns.decode(datums(record(("a", "int")), [{"a": 1}]))
    assert batch.to_pylist() == [{"b": 1}]


@pytest.mark.parametrize(
    "avro",
    [
        "bytes",
        ["null", "bytes"],
        {"type": "fixed", "name": "Four", "size": 4},
        {"type": "array", "items": "string"},
        {"type": "map", "values": "long"},
        ["null", "string", "long"],
        ["string"],
        "null",
        record(("inner", "int")),
    ],
    ids=str,
)
def test_a_type_that_the_library_may_panic_on_is_left_to_the_one_by_one_decoder(avro: Any) -> None:
    assert columns_between(record(("a", avro)), record()) is None


@pytest.mark.parametrize(
    ("written", "read"),
    [
        (("a", ["null", "int"]), ("a", "int")),
        (("a", "string"), ("a", "bytes")),
        (("a", "long"), ("a", "int")),
        (("a", "int"), ("b", "int")),
        (("a", NEWER_COLOUR), ("a", {"type": "enum", "name": "Colour", "symbols": ["unknown"]})),
        (("a", COLOUR), ("a", COLOUR | {"name": "Paint"})),
        (("a", COLOUR), ("a", "string")),
    ],
    ids=str,
)
def test_what_only_some_datums_resolve_is_left_to_the_one_by_one_decoder(
    written: tuple[Any, ...], read: tuple[Any, ...]
) -> None:
    assert columns_between(record(written), record(read)) is None


@pytest.mark.parametrize("name", [name for name in RECORD_TYPES if name not in ("dead_letter", "asset")])
def test_all_records_but_dead_letters_and_assets_are_read_in_columns(name: str) -> None:
    assert columns_between(physical(schema(name)), physical(schema(name))) is not None


def test_one_unreadable_datum_makes_all_undecodable() -> None:
    columns = columns_between(record(("a", "string")), record(("a", "string")))
    assert columns is not None
    for wrong in (b"", b"\x04a", b"\x02\xff"):
        with pytest.raises(Undecodable):
            columns.decode([b"\x02a", wrong])


def test_a_datum_that_is_not_the_encoding_of_its_row_is_not_exact() -> None:
    columns = columns_between(record(("a", "int")), record(("a", "int")))
    assert columns is not None
    _, exact = columns.decode([b"\x02", b"\x82\x00", b"\x02\x00", b"\x80\x80\x80\x80\x20"])
    assert exact.tolist() == [True, False, False, False]
