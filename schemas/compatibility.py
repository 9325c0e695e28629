"""Avro schema resolution for the types that we use: can data written with one schema be read with another?

The registry enforces FULL_TRANSITIVE when a schema is registered. These checks run earlier, in tests, and give reasons.
"""

from collections.abc import Iterator, Sequence
from itertools import combinations
from typing import Any

from schemas.avro import Schema, full_name, physical

_PROMOTIONS = {
    "int": ("long", "float", "double"),
    "long": ("float", "double"),
    "float": ("double",),
    "string": ("bytes",),
    "bytes": ("string",),
}


def incompatibilities(versions: Sequence[Schema]) -> list[str]:
    """Every reason why two versions of a record cannot read each other; none means FULL_TRANSITIVE."""
    return [
        problem
        for older, newer in combinations(versions, 2)
        for writer, reader in ((older, newer), (newer, older))
        for problem in unreadable(writer, reader)
    ]


def unreadable(writer: Schema, reader: Schema) -> list[str]:
    """Every reason why ``reader`` cannot read data written with ``writer``."""
    if full_name(writer) != full_name(reader):
        return [f"{full_name(writer)} is not {full_name(reader)}"]
    written = {field["name"]: field["type"] for field in physical(writer)["fields"]}
    return list(_problems(written, physical(reader)))


def _problems(written: dict[str, Any], reader: Schema) -> Iterator[str]:
    for field in reader["fields"]:
        source = next((name for name in (field["name"], *field.get("aliases", ())) if name in written), None)
        if source is None:
            if "default" not in field:
                yield f"{field['name']} is not always written and has no default"
        elif not _resolves(written[source], field["type"]):
            yield f"{field['name']}: {_kind(written[source])} cannot be read as {_kind(field['type'])}"


def _resolves(written: Any, read: Any) -> bool:
    if isinstance(written, list):
        return all(_resolves(branch, read) for branch in written)
    if isinstance(read, list):
        return any(_resolves(written, branch) for branch in read)
    if _kind(written) == "enum" == _kind(read):
        known = set(written["symbols"]) <= set(read["symbols"])
        return written["name"] == read["name"] and (known or "default" in read)
    if _kind(written) == "map" == _kind(read):
        return _resolves(written["values"], read["values"])
    if _kind(written) == "array" == _kind(read):
        return _resolves(written["items"], read["items"])
    if _kind(written) == "record" == _kind(read):
        return not unreadable(written, read)
    return _kind(written) == _kind(read) or _kind(read) in _PROMOTIONS.get(_kind(written), ())


def _kind(avro: Any) -> str:
    if isinstance(avro, list):
        return "|".join(_kind(branch) for branch in avro)
    return _kind(avro["type"]) if isinstance(avro, dict) else str(avro)
