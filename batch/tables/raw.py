"""Which raw objects are new: those of each chain after the position that a table has recorded.

A key is ``raw/<topic>/<topic id>/partition=<P>/<start position, 20 digits>.avro``; the object's metadata say where
it ends and what it holds. Each object of a chain begins where the last one ended.
"""

import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Protocol

import fastavro

from batch.tables.lake_errors import LakeError

Positions = Mapping[tuple[str, int], int]
"""(topic id, partition) -> the next position to take."""
_HEADS_AT_ONCE = 16


class ObjectStore(Protocol):
    """The lake's bucket. Every method raises TransientError when the store is away or too slow."""

    def head(self, key: str) -> Mapping[str, str]:
        """The object's metadata."""
        ...

    def get(self, key: str) -> bytes:
        """Raises KeyError if there is no such object."""
        ...

    def list(self, prefix: str, start_after: str = "") -> Iterator[str]:
        """Keys under the prefix, in order, strictly after ``start_after``. KeyError if there is no such bucket."""
        ...


@dataclass(frozen=True, slots=True)
class RawObject:
    key: str
    topic_id: str
    partition: int
    start: int
    end: int
    records: int
    dead_letters: int
    gap: bool
    """Its positions had left Kafka before the lake read them."""
    schema_id: str | None
    sha256: str


def encode(positions: Positions) -> str:
    """Compact JSON: topic id -> partition -> position."""
    nested: dict[str, dict[str, int]] = {}
    for (topic_id, partition), position in sorted(positions.items()):
        nested.setdefault(topic_id, {})[str(partition)] = position
    return json.dumps(nested, separators=(",", ":"))


def decode(text: str) -> Positions:
    nested: dict[str, dict[str, int]] = json.loads(text)
    return {
        (topic_id, int(partition)): position for topic_id, of in nested.items() for partition, position in of.items()
    }


def new_objects(store: ObjectStore, topic: str, positions: Positions) -> list[RawObject]:
    """In the order of their keys. LakeError where a chain has a hole: what is missing must not pass unseen."""
    try:
        keys = list(_new_keys(store, topic, positions))
    except KeyError as error:
        raise LakeError(f"the lake cannot be read: {error.args[0]}") from error
    with ThreadPoolExecutor(_HEADS_AT_ONCE) as pool:
        objects = list(map(_object, keys, pool.map(store.head, keys)))
    ends = dict(positions)
    for each in objects:
        chain = each.topic_id, each.partition
        if each.start != ends.get(chain, 0):
            raise LakeError(f"{each.key} starts at {each.start}, but the chain before it ends at {ends.get(chain, 0)}")
        ends[chain] = each.end
    return objects


def after(positions: Positions, objects: Iterable[RawObject]) -> Positions:
    """Where the chains end with these objects."""
    return {**positions, **{(each.topic_id, each.partition): each.end for each in objects}}


def _new_keys(store: ObjectStore, topic: str, positions: Positions) -> Iterator[str]:
    """Steps over what each chain has behind its position, so that a long past is not listed."""
    start_after: str | None = ""
    while start_after is not None:
        found, start_after = store.list(f"raw/{topic}/", start_after), None
        for key in found:
            folder, _, name = key.rpartition("/")
            position = positions.get(_chain(key), 0)
            if int(name.removesuffix(".avro")) < position:
                start_after = f"{folder}/{position:020d}"
                break
            yield key


def _chain(key: str) -> tuple[str, int]:
    _, _, topic_id, partition, _ = key.split("/")
    return topic_id, int(partition.removeprefix("partition="))


def _object(key: str, said: Mapping[str, str]) -> RawObject:
    topic_id, partition = _chain(key)
    return RawObject(
        key=key,
        topic_id=topic_id,
        partition=partition,
        start=int(key[-25:-5]),
        end=int(said["end"]),
        records=int(said["records"]),
        dead_letters=int(said["dead_letters"]),
        gap=said["kind"] == "gap",
        schema_id=said.get("schema-id"),
        sha256=said["sha256"],
    )


def require_known_schemas(store: ObjectStore, objects: Sequence[RawObject], own: Mapping[str, Any]) -> None:
    """LakeError if an object was written by a later contract: reading it would drop what only that contract knows.

    One object is opened per schema id, since objects of one id have one schema. Their checksums have been verified.
    """
    for each in {each.schema_id: each for each in objects if each.records}.values():
        written = fastavro.reader(io.BytesIO(store.get(each.key))).writer_schema
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
