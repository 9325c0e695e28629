"""The equation of the topics that outboxes write to: between two records of a key that were read in succession, none is
missing.

``seq`` counts a key's records without a gap, and Kafka drops records from the beginning only. So a number that was
skipped is a record that somebody committed and nobody can read. A relay that gave up a message publishes it and all
behind it once more: for a moment a number may be missing, and repeats are normal.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from domain.lake.keys import Chain
from domain.ledger.checks import Check, checked
from domain.ledger.sources import Sides
from schemas.topics import CHANGE_TOPICS, Topic


@dataclass(slots=True)
class Succession:
    """One key's numbers as they were read."""

    last: int
    missing: list[range] = field(default_factory=list)

    def take(self, seq: int) -> None:
        if seq > self.last:
            self.missing += [range(self.last + 1, seq)] if seq > self.last + 1 else []
            self.last = seq
        elif self.missing:
            self.missing = [rest for gap in self.missing for rest in _without(gap, seq)]


def _without(gap: range, seq: int) -> Iterable[range]:
    if seq not in gap:
        return (gap,)
    return filter(None, (range(gap.start, seq), range(seq + 1, gap.stop)))


@dataclass(slots=True)
class _Reading:
    """What was read of one topic."""

    positions: dict[Chain, int] = field(default_factory=dict)
    keys: dict[str, Succession] = field(default_factory=dict)


class SuccessionLedger:
    """Reads each record once, from the oldest that Kafka has when it begins."""

    def __init__(self, sides: Sides) -> None:
        self._sides = sides
        self._readings = {name: _Reading() for name in CHANGE_TOPICS}

    def missing(self) -> dict[str, dict[str, list[range]]]:
        """Which numbers are missing now, by name of the topic and key. TransientError while Kafka is away."""
        for name, topic in CHANGE_TOPICS.items():
            self._readings[name] = self._follow(topic, self._readings[name])
        return {
            name: {key: seen.missing for key, seen in reading.keys.items() if seen.missing}
            for name, reading in self._readings.items()
        }

    def check(self) -> Check:
        """For ``playhead ledger``."""
        missing = self.missing()
        differences = [
            f"{CHANGE_TOPICS[name].name}: {text(key, gap)}"
            for name, keys in missing.items()
            for key, gaps in sorted(keys.items())
            for gap in gaps
        ]
        whole = sum(len(reading.keys) for reading in self._readings.values())
        broken = sum(map(len, missing.values()))
        right = ("of these without a gap", whole - broken)
        return checked("sequences", ("keys of outboxes' topics", whole), right, differences)

    def _follow(self, topic: Topic, before: _Reading) -> _Reading:
        """A topic that was made again, or that lost records before they were read, is read from its beginning."""
        log = self._sides.log
        spans = {Chain(name, topic_id, n): (start, end) for name, topic_id, n, start, end in log.spans([topic.name])}
        follows = all(
            chain in spans and spans[chain][0] <= at <= spans[chain][1] for chain, at in before.positions.items()
        )
        reading = before if follows else _Reading()
        for chain, (start, end) in spans.items():
            position = max(start, reading.positions.get(chain, start))
            for batch in log.records(chain.topic, chain.partition, position, end) if position < end else ():
                payloads = [payload for _, payload, _ in batch]
                frame = self._sides.comparer.decoder.decode(topic.record, payloads).frame
                for key, seq in frame.select(topic.key, "seq").iter_rows():
                    reading.keys.setdefault(key, Succession(seq)).take(seq)
            reading.positions[chain] = end
        return reading


def text(key: str, gap: range) -> str:
    numbers = f"record {gap.start}" if len(gap) == 1 else f"records {gap.start} to {gap.stop - 1}"
    return f"{numbers} of {key} never came, though later ones did"
