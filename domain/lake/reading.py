"""Reading the lake: a chain's objects, their rows with the offsets they had in Kafka, where the chain ends."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Literal, NamedTuple, cast

from domain.lake import container, keys
from domain.lake.keys import Chain
from domain.lake.objects import GAPS_KEY
from domain.lake.ports import ObjectReader


@dataclass(frozen=True, slots=True)
class LakeObject:
    """What an object's key and metadata say."""

    key: str
    chain: Chain
    start: int
    end: int
    records: int
    dead_letters: int
    kind: Literal["data", "gap"]
    schema_id: int | None
    sha256: str
    absent: int
    """Offsets at which Kafka had no record, since compaction had removed it."""


def read_objects(
    store: ObjectReader, chain: Chain | None = None, topic: str | None = None, start: int = 0
) -> Iterator[LakeObject]:
    """The objects of one chain that start at ``start`` or later, of one topic (all its incarnations), or all.

    In the order of their keys. TransientError while the store is unreachable.
    """
    prefix = chain.prefix if chain else f"{keys.ROOT}{topic}/" if topic else keys.ROOT
    for key in store.list(prefix, chain.just_before(start) if chain else ""):
        try:
            yield parse_metadata(key, store.head(key))
        except KeyError:  # deleted since it was listed
            continue


def parse_metadata(key: str, metadata: Mapping[str, str]) -> LakeObject:
    chain, start = keys.parse(key)
    return LakeObject(
        key=key,
        chain=chain,
        start=start,
        end=int(metadata["end"]),
        records=int(metadata["records"]),
        dead_letters=int(metadata["dead_letters"]),
        kind=cast(Literal["data", "gap"], metadata["kind"]),
        schema_id=int(metadata["schema-id"]) if "schema-id" in metadata else None,
        sha256=metadata["sha256"],
        absent=int(metadata.get("absent", 0)),
    )


def read_rows(lake_object: LakeObject, body: bytes) -> Iterator[tuple[int, dict[str, Any]]]:
    """(offset in Kafka, row) for each row of an object. Values are physical: ids are text, times milliseconds.

    Raises ValueError when the body is not what was put.
    """
    metadata, rows = container.read(verified(lake_object, body))
    yield from zip(row_offsets(lake_object, metadata), rows, strict=True)


def verified(lake_object: LakeObject, body: bytes) -> bytes:
    """The body. Raises ValueError when it is not what was put."""
    if sha256(body).hexdigest() != lake_object.sha256:
        raise ValueError(f"{lake_object.key} does not hold the bytes that were put")
    return body


def row_offsets(lake_object: LakeObject, metadata: Mapping[str, str]) -> list[int]:
    """The offset in Kafka of each row. ``metadata``: the file's Avro metadata."""
    offsets: list[int] = []
    start = lake_object.start
    for first, after_last in json.loads(metadata[GAPS_KEY]):
        offsets += range(start, first)
        start = after_last
    return [*offsets, *range(start, lake_object.end)]


class ChainEnd(NamedTuple):
    position: int
    """The end of the chain's newest object. 0 for an empty chain."""
    newest: int | None
    """Where that object starts."""


def find_end(store: ObjectReader, chain: Chain, hint: int | None = None) -> ChainEnd:
    """Where the chain ends in the store, whatever Kafka's commits say. Raises TransientError.

    ``hint`` is the start of some object of the chain; the keys before it are not listed. If the store has nothing
    there or later, the whole chain is listed: a lost object is then written again, if Kafka still has its records.
    Every chain begins at 0, even if a topic's first records have expired: two sinks must agree on where it begins.
    """
    newest = None
    if hint is not None:
        newest = _last(store, chain, chain.just_before(hint))
    if newest is None:
        newest = _last(store, chain, "")
    if newest is None:
        return ChainEnd(0, None)
    return ChainEnd(int(store.head(newest)["end"]), keys.parse(newest)[1])


def _last(store: ObjectReader, chain: Chain, start_after: str) -> str | None:
    last = None
    for key in store.list(chain.prefix, start_after):
        last = key
    return last
