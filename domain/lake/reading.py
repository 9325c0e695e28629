"""Reading the lake back: a chain's objects, their rows with the offsets they had in Kafka, holes between them."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Literal, cast

from domain.lake import container
from domain.lake import keys as names
from domain.lake.keys import Chain
from domain.lake.objects import MISSING
from domain.lake.ports import ObjectStore


@dataclass(frozen=True, slots=True)
class LakeObject:
    """What an object's name and metadata say."""

    key: str
    chain: Chain
    start: int
    end: int
    records: int
    dead_letters: int
    kind: Literal["data", "gap"]
    schema_id: int | None
    sha256: str


def read_objects(store: ObjectStore, chain: Chain | None = None, topic: str | None = None) -> Iterator[LakeObject]:
    """One chain's objects, or one topic's (all its incarnations), or all, in the order of their keys."""
    prefix = chain.prefix if chain else f"{names.ROOT}{topic}/" if topic else names.ROOT
    for key in store.list(prefix):
        yield described(key, store.head(key))


def described(key: str, said: Mapping[str, str]) -> LakeObject:
    """``said``: the object's metadata."""
    of, start = names.parse(key)
    return LakeObject(
        key=key,
        chain=of,
        start=start,
        end=int(said["end"]),
        records=int(said["records"]),
        dead_letters=int(said["dead_letters"]),
        kind=cast(Literal["data", "gap"], said["kind"]),
        schema_id=int(said["schema-id"]) if "schema-id" in said else None,
        sha256=said["sha256"],
    )


def read_rows(of: LakeObject, body: bytes) -> Iterator[tuple[int, dict[str, Any]]]:
    """(offset in Kafka, row) for each row of an object. Values are physical: ids are text, times milliseconds.

    Raises ValueError when these are not the bytes that were put.
    """
    metadata, rows = container.read(checked(of, body))
    yield from zip(_offsets(of.start, of.end, json.loads(metadata[MISSING])), rows, strict=True)


def checked(of: LakeObject, body: bytes) -> bytes:
    """The body. Raises ValueError when these are not the bytes that were put."""
    if sha256(body).hexdigest() != of.sha256:
        raise ValueError(f"{of.key} does not hold the bytes that were put")
    return body


def _offsets(start: int, end: int, missing: list[tuple[int, int]]) -> Iterator[int]:
    for first, after_last in missing:
        yield from range(start, first)
        start = after_last
    yield from range(start, end)


def holes(objects: Iterable[LakeObject]) -> list[str]:
    """What breaks the chains of these objects (whole chains, in the order of their keys), for a person."""
    found: list[str] = []
    ends: dict[Chain, int] = {}
    for each in objects:
        position = ends.get(each.chain, 0)
        if each.start != position:
            found.append(f"{each.key} starts at {each.start}, the chain before it ends at {position}")
        if each.kind == "data" and each.records + each.dead_letters != each.end - each.start:
            found.append(
                f"{each.key} holds {each.records} records and {each.dead_letters} dead letters up to {each.end}"
            )
        ends[each.chain] = each.end
    return found
