"""The ledger's light version: topic by topic, what Kafka numbered against what the lake holds.

The exact ledger compares event by event; this one only counts, so it can run all the time.
"""

from collections.abc import Iterable, Mapping

from services.ops.chains import Chain
from services.ops.document import Balance
from services.ports import Partition


def balance(
    topics: Iterable[str],
    starts: Mapping[Partition, int],
    ends: Mapping[Partition, int],
    chains: Mapping[Partition, Chain],
) -> list[Balance]:
    return [_topic(topic, starts, ends, chains) for topic in topics if any(name == topic for name, _ in ends)]


def _topic(
    topic: str,
    starts: Mapping[Partition, int],
    ends: Mapping[Partition, int],
    chains: Mapping[Partition, Chain],
) -> Balance:
    kafka = lake = dead_letters = in_flight = lost = 0
    for partition in (p for p in ends if p[0] == topic):
        log_start = starts.get(partition, 0)
        chain = chains.get(partition, Chain(log_start, log_start))
        end = max(ends[partition], chain.end)  # the lake may have been looked at later than Kafka
        kafka += end - min(chain.start, log_start)
        lake += chain.records
        dead_letters += chain.dead_letters
        lost += chain.lost + max(0, log_start - chain.end) + max(0, chain.start - log_start)
        in_flight += max(0, end - max(chain.end, log_start))
    return Balance(topic, kafka, lake, dead_letters, in_flight, lost)


def lag(
    ends: Mapping[Partition, int],
    starts: Mapping[Partition, int],
    committed: Mapping[Partition, int],
    topics: Iterable[str],
) -> int:
    """Records that a group has yet to read of its topics; where it never committed, all that Kafka keeps."""
    wanted = set(topics)
    return sum(
        max(0, end - committed.get(partition, starts.get(partition, 0)))
        for partition, end in ends.items()
        if partition[0] in wanted
    )
