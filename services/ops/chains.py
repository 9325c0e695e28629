"""The lake's chains, read forward: each look reads only the objects that are new since the last one.

A key is ``raw/<topic>/<topic id>/partition=<P>/<start position, 20 digits>.avro``; the object's metadata say where
it ends and what it holds (``end``, ``records``, ``dead_letters``, ``kind`` = data or gap).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from services.ports import ObjectStore, Partition


@dataclass(frozen=True, slots=True)
class Chain:
    """One partition's objects, summed up."""

    start: int
    """First position that the lake holds."""
    end: int
    records: int = 0
    dead_letters: int = 0
    lost: int = 0
    """Positions in gap objects, or between objects that do not meet."""
    last_key: str = ""

    def follow(self, key: str, metadata: Mapping[str, str]) -> "Chain":
        start, end = start_position(key), int(metadata["end"])
        hole = max(0, start - self.end)
        span = end - start if metadata.get("kind") == "gap" else 0
        return replace(
            self,
            end=end,
            records=self.records + int(metadata["records"]),
            dead_letters=self.dead_letters + int(metadata["dead_letters"]),
            lost=self.lost + hole + span,
            last_key=key,
        )


def start_position(key: str) -> int:
    return int(key.rsplit("/", 1)[1].removesuffix(".avro"))


def walk(store: ObjectStore, prefix: str, known: Chain | None) -> Chain | None:
    """The chain after reading on from what is known; None while the partition has no object. Blocks."""
    chain = known
    for key in store.list(prefix, known.last_key if known else ""):
        position = start_position(key)
        chain = (chain or Chain(position, position)).follow(key, store.head(key))
    return chain


def walk_all(
    store: ObjectStore,
    partitions: Iterable[Partition],
    topic_ids: Mapping[str, str],
    known: Mapping[Partition, Chain],
) -> dict[Partition, Chain]:
    """Every partition's chain. A recreated topic has another id, so its chain begins anew."""
    chains: dict[Partition, Chain] = {}
    for topic, number in partitions:
        prefix = f"raw/{topic}/{topic_ids[topic]}/partition={number}/"
        before = known.get((topic, number))
        if before and not before.last_key.startswith(prefix):
            before = None
        if chain := walk(store, prefix, before):
            chains[topic, number] = chain
    return chains
