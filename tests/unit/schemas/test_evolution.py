"""Versions of a schema read each other: the frozen ones, the newest, and one that does not exist yet."""

import json
from collections.abc import Iterator
from copy import deepcopy
from io import BytesIO
from typing import Any

import fastavro
import msgspec
import pytest

from schemas.avro import Schema, parsed, physical, schema
from schemas.batch import BatchDecoder, DecodedBatch
from schemas.codec import decode, encode
from schemas.columnar import columns_between
from schemas.compatibility import incompatibilities, unreadable
from schemas.events import RECORD_TYPES, Record
from schemas.framing import frame
from tests.support.builders import playback
from tests.support.freeze_schema import EXAMPLES, GOLDEN, versions
from tests.support.newer_schemas import NEW_FIELD, NEW_SYMBOL, playback_v2


def frozen(record: str, version: int) -> Schema:
    avsc: Schema = json.loads((GOLDEN / record / f"v{version}.avsc").read_text())
    return avsc


def goldens() -> Iterator[tuple[str, int]]:
    for record in RECORD_TYPES:
        for version in versions(record):
            yield record, version


def batch_of(record: str, datums: list[bytes], writer: Schema) -> DecodedBatch:
    return BatchDecoder(lambda _: writer).decode(record, [frame(1, datum) for datum in datums])


@pytest.mark.parametrize(("record", "version"), goldens())
def test_what_was_written_once_is_read_for_ever(record: str, version: int) -> None:
    rows = json.loads((GOLDEN / record / f"v{version}.json").read_text())
    datums = [bytes.fromhex(row["datum"]) for row in rows]
    expected: list[Record] = [msgspec.json.decode(json.dumps(row["record"]), type=RECORD_TYPES[record]) for row in rows]
    writer = frozen(record, version)
    assert [decode(record, datum, writer) for datum in datums] == expected
    batch = batch_of(record, datums * 20, writer)
    assert batch.invalid == []
    rows = batch.frame.drop("_index").to_dicts()
    assert [msgspec.convert(row, RECORD_TYPES[record]) for row in rows] == expected * 20


@pytest.mark.parametrize(("record", "version"), goldens())
def test_a_reader_of_an_old_version_reads_what_is_written_now(record: str, version: int) -> None:
    reader = frozen(record, version)
    for example in EXAMPLES[record]:
        row = read(encode(example), schema(record), reader)
        assert list(row) == [field["name"] for field in reader["fields"]]


@pytest.mark.parametrize("record", RECORD_TYPES)
def test_the_newest_schema_is_frozen(record: str) -> None:
    newest = frozen(record, versions(record)[-1])
    assert physical(newest) == physical(schema(record)), f"python -m tests.support.freeze_schema {record}"


@pytest.mark.parametrize("record", RECORD_TYPES)
def test_all_versions_read_each_other(record: str) -> None:
    assert incompatibilities([frozen(record, version) for version in versions(record)]) == []


def read(datum: bytes, writer: Schema, reader: Schema) -> dict[str, Any]:
    """As any other Avro reader would."""
    row: Any = fastavro.schemaless_reader(BytesIO(datum), parsed(writer), parsed(reader))
    assert isinstance(row, dict)
    return row


def written_with_v2(count: int, **changes: Any) -> list[bytes]:
    fields = msgspec.structs.asdict(playback()) | changes
    datums = []
    for seq in range(count):
        out = BytesIO()
        fastavro.schemaless_writer(out, parsed(playback_v2()), fields | {"seq": seq})
        datums.append(out.getvalue())
    return datums


def test_version_2_is_compatible() -> None:
    assert incompatibilities([schema("playback"), playback_v2()]) == []


@pytest.mark.parametrize("count", [3, 100])
def test_a_new_field_is_dropped_and_a_new_symbol_becomes_unknown(count: int) -> None:
    """Few are decoded one by one, many in columns."""
    expected = playback(event_type="unknown")
    datums = written_with_v2(count, audio_language="nl", event_type=NEW_SYMBOL)
    batch = batch_of("playback", datums, playback_v2())
    assert batch.invalid == []
    assert (
        batch.frame.drop("_index", "seq").to_dicts()
        == [{name: value for name, value in msgspec.structs.asdict(expected).items() if name != "seq"}] * count
    )
    assert batch.frame["seq"].to_list() == list(range(count))
    assert decode("playback", datums[0], playback_v2()) == msgspec.structs.replace(expected, seq=0)


def test_rules_are_asked_of_what_the_reader_sees() -> None:
    batch = batch_of("playback", written_with_v2(100, audio_language="", country="nl"), playback_v2())
    assert {invalid.error.field for invalid in batch.invalid} == {"country"}
    assert len(batch.invalid) == 100


def test_a_reader_of_version_2_fills_the_new_field_with_its_default() -> None:
    expected = msgspec.structs.asdict(playback()) | {NEW_FIELD["name"]: None}
    assert read(encode(playback()), schema("playback"), playback_v2()) == expected
    columns = columns_between(physical(schema("playback")), physical(playback_v2()))
    assert columns is not None
    batch, exact = columns.decode([encode(playback())] * 2)
    assert batch.to_pylist() == [expected, expected]
    assert exact.all()


def changed(change: dict[str, Any]) -> Schema:
    """The ``ui`` schema with one field's type or default changed; None takes the field out."""
    newer = deepcopy(schema("ui"))
    for name, patch in change.items():
        field = next((field for field in newer["fields"] if field["name"] == name), None)
        if field is None:
            newer["fields"].append({"name": name, **patch})
        elif patch is None:
            newer["fields"].remove(field)
        else:
            field.update(patch)
    return newer


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"page": None}, "page is not always written and has no default"),
        ({"mood": {"type": "string"}}, "mood is not always written and has no default"),
        ({"page": {"type": "int"}}, "page: string cannot be read as int"),
        ({"page": {"type": ["null", "string"]}}, "page: null|string cannot be read as string"),
        ({"row": {"type": ["null", "long"]}}, "row: null|long cannot be read as null|int"),
        (
            {"action": {"type": {"type": "enum", "name": "UiAction", "symbols": ["unknown"]}}},
            "action: enum cannot be read as enum",
        ),
        (
            {"action": {"type": {"type": "enum", "name": "Deed", "symbols": ["unknown"], "default": "unknown"}}},
            "action: enum cannot be read as enum",
        ),
    ],
)
def test_a_change_that_breaks_readers_is_named(change: dict[str, Any], problem: str) -> None:
    assert problem in incompatibilities([schema("ui"), changed(change)])


@pytest.mark.parametrize(
    "change",
    [
        {"query": None},
        {"mood": {"type": "string", "default": ""}},
        {"mood": {"type": {"type": "map", "values": "string"}, "default": {}}},
        {"page": {"doc": "Another text."}},
    ],
)
def test_a_change_that_breaks_nobody_is_allowed(change: dict[str, Any]) -> None:
    assert incompatibilities([schema("ui"), changed(change)]) == []


def test_another_record_cannot_be_read() -> None:
    assert unreadable(schema("ui"), schema("error")) == ["playhead.Ui is not playhead.Error"]
