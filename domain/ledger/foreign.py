"""Objects under the names of Kafka's topics that belong to no chain of theirs."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from domain.lake import keys
from domain.lake.keys import Chain
from domain.lake.ports import ObjectReader


@dataclass(frozen=True, slots=True)
class ForeignObjects:
    problems: tuple[str, ...]
    older: frozenset[str]
    """Topics that had another topic id before: somebody created them again."""


def find_foreign(store: ObjectReader, chains: Collection[Chain], since: Mapping[str, int]) -> ForeignObjects:
    """``chains``: Kafka's. ``since``: when Kafka appended the first record that it still has of each topic, in ms.

    Objects under another topic id are right if the topic was created again. Then none of their records is younger than
    the topic that exists now. TransientError while the store is unreachable.
    """
    known = set(chains)
    topics = {chain.topic: chain.topic_id for chain in chains}
    problems: list[str] = []
    newest: dict[Chain, str] = {}
    for topic in sorted(topics):
        for key in store.list(f"{keys.ROOT}{topic}/"):
            try:
                chain, _ = keys.parse(key)
            except ValueError as error:
                problems.append(str(error))
                continue
            if chain not in known:
                newest[chain] = key
    older: set[str] = set()
    for chain, key in newest.items():
        found = list(_problems(store, chain, key, topics, since))
        problems += found
        if not found:
            older.add(chain.topic)
    return ForeignObjects(tuple(problems), frozenset(older))


def _problems(
    store: ObjectReader, chain: Chain, newest: str, topics: Mapping[str, str], since: Mapping[str, int]
) -> Iterator[str]:
    if topics[chain.topic] == chain.topic_id:
        yield f"{newest}: Kafka has no such partition"
        return
    try:
        metadata = store.head(newest)
    except KeyError:  # deleted since it was listed
        return
    appended = int(metadata.get("last-timestamp", 0))
    if chain.topic in since and appended >= since[chain.topic]:
        yield f"{newest}: holds records of topic id {topics[chain.topic]} under another topic id"
