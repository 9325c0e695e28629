"""Which lake objects are new: those of each chain after the position that a table has recorded."""

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from batch.tables.lake_errors import LakeError
from domain.lake import container, keys
from domain.lake.ports import ObjectReader
from domain.lake.positions import Positions
from domain.lake.reading import LakeObject, parse_metadata

_HEADS_AT_ONCE = 16


def new_objects(store: ObjectReader, topic: str, positions: Positions) -> list[LakeObject]:
    """In the order of their keys. LakeError if a chain has a hole: missing objects must not go unnoticed."""
    try:
        new = list(_new_keys(store, topic, positions))
    except KeyError as error:
        raise LakeError(f"the lake cannot be read: {error.args[0]}") from error
    with ThreadPoolExecutor(_HEADS_AT_ONCE) as pool:
        objects = list(map(parse_metadata, new, pool.map(store.head, new)))
    ends = dict(positions)
    for each in objects:
        partition = each.chain.topic_id, each.chain.partition
        end = ends.get(partition, 0)
        if each.start != end:
            raise LakeError(f"{each.key} starts at {each.start}, but the chain before it ends at {end}")
        ends[partition] = each.end
    return objects


def _new_keys(store: ObjectReader, topic: str, positions: Positions) -> Iterator[str]:
    """Jumps over the keys below each chain's position: they are not listed."""
    start_after: str | None = ""
    while start_after is not None:
        found, start_after = store.list(f"{keys.ROOT}{topic}/", start_after), None
        for key in found:
            chain, start = keys.parse(key)
            position = positions.get((chain.topic_id, chain.partition), 0)
            if start < position:
                start_after = chain.just_before(position)
                break
            yield key


def require_known_schemas(store: ObjectReader, objects: Sequence[LakeObject], own: Mapping[str, Any]) -> None:
    """LakeError if an object was written with a later contract: its new fields would be dropped.

    One object is opened per schema id, since objects of one id have one schema. Their checksums have been verified.
    """
    for each in {each.schema_id: each for each in objects if each.records}.values():
        written = container.read_schema(store.get(each.key))
        if unknown := sorted(_vocabulary(written) - _vocabulary(own)):
            raise LakeError(
                f"{each.key} was written by a newer contract, with {', '.join(unknown)}: "
                "update this side first, then run again; nothing was taken"
            )


def _vocabulary(schema: Any) -> set[str]:
    """Fields, and symbols of enums with their field."""
    return {
        word
        for field in schema["fields"]
        for word in (field["name"], *(f"{field['name']} {symbol}" for symbol in _symbols(field["type"])))
    }


def _symbols(avro: Any) -> Sequence[str]:
    if isinstance(avro, list):
        return [symbol for branch in avro for symbol in _symbols(branch)]
    return avro.get("symbols", ()) if isinstance(avro, dict) else ()
