"""One hour of receipt, compared again from Kafka and the lake. The stored states only say where to look."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import polars as pl

from domain.lake.keys import Chain
from domain.ledger.comparison import Comparison
from domain.ledger.sources import Sources
from domain.ledger.spans import OffsetRange, split_by_object, within
from domain.ledger.state import Finding
from schemas.topics import TOPICS


@dataclass(slots=True)
class TopicHour:
    """One topic's records of the hour."""

    topic: str
    kafka: int = 0
    """Valid ones."""
    lake: int = 0
    dead_letters: int = 0
    """Invalid ones in Kafka. One without a dead letter is a finding."""
    in_flight: int = 0
    """In Kafka beyond the end of the lake, and not yet overdue."""
    expired: int = 0
    """In the lake, and no longer in Kafka."""
    event_ids: list[pl.Series] = field(default_factory=list)
    """Of the lake's rows."""
    difference: int = 0
    findings: list[str] = field(default_factory=list)

    @property
    def distinct(self) -> int | None:
        """None for a topic whose records are not events."""
        ids = pl.concat(self.event_ids).drop_nulls() if self.event_ids else None
        return None if ids is None or (ids.is_empty() and self.lake) else ids.n_unique()


class HourlyLedger:
    def __init__(self, sources: Sources, overdue_ms: int) -> None:
        """``overdue_ms``: a record that Kafka appended before this time must be in the lake."""
        self._sources = sources
        self._overdue_ms = overdue_ms

    def check(self, hour: int, progress: Callable[[str], None]) -> list[TopicHour]:
        """Every topic in an hour since the epoch. TransientError while a backend is unreachable."""
        topics = {topic: TopicHour(topic) for topic in TOPICS}
        for topic, topic_id, partition, _, _ in self._sources.log.spans(TOPICS):
            progress(f"{topic}[{partition}]")
            self._partition(topics[topic], Chain(topic, topic_id, partition), hour)
        return list(topics.values())

    def _partition(self, topic: TopicHour, chain: Chain, hour: int) -> None:
        state = self._sources.states.load(chain)
        newer = self._sources.objects(chain, state.newest_object)
        stored = max((state.position, *(each.end for each in newer)))
        log = self._sources.offsets(chain)  # after the lake: what the lake has, Kafka had before
        counted = state.hours.get(hour)
        spans = [(counted.start, counted.end)] if counted else []
        for span in (*spans, (state.position, max(log[1], stored))):
            parts = split_by_object(span, self._sources.objects(chain, span[0]))
            for comparison in self._sources.comparer.compare(chain, parts, log):
                beyond = comparison.lake_object is None and comparison.span[0] >= stored
                self._add(topic, chain, hour, comparison, beyond)

    def _add(self, topic: TopicHour, chain: Chain, hour: int, comparison: Comparison, beyond: bool) -> None:
        """``beyond``: the lake has not come this far yet."""
        kafka, lake = comparison.kafka.filter(hour=hour), comparison.lake.filter(hour=hour)
        topic.kafka += int(kafka["valid"].sum())
        topic.dead_letters += int((~kafka["valid"]).sum())
        topic.lake += lake.height
        topic.expired += lake.join(kafka, on="offset", how="anti").height if comparison.expired else 0
        topic.event_ids.append(lake["event_id"])
        if beyond and kafka.filter(pl.col("appended") < self._overdue_ms).is_empty():
            topic.in_flight += kafka.height
            return
        for finding in comparison.findings:
            if records := _of_hour(finding, comparison, kafka, lake):
                topic.difference += records
                topic.findings.append(f"{chain.topic}[{chain.partition}]: {finding.what}")


def _of_hour(finding: Finding, comparison: Comparison, kafka: pl.DataFrame, lake: pl.DataFrame) -> int:
    """How many of the finding's records are of the hour. All of them if neither side has any of them."""
    at: OffsetRange = finding.start, finding.end
    if comparison.kafka.filter(within(at)).is_empty() and comparison.lake.filter(within(at)).is_empty():
        return finding.records
    return max(kafka.filter(within(at)).height, lake.filter(within(at)).height)


def notes(topics: Sequence[TopicHour], accepted: Mapping[str, int]) -> Iterator[str]:
    """Why two numbers of a family differ although nothing is wrong. ``accepted``: the collectors' counts by family."""
    if not any(topic.kafka or topic.lake for topic in topics):
        yield "nothing was received in this hour: is it the right one, in UTC?"
    for topic in topics:
        family = TOPICS[topic.topic].record
        repeats = topic.lake - topic.distinct if topic.distinct is not None else 0
        uncounted = topic.kafka - accepted.get(family, topic.kafka)
        for count, what in (
            (topic.in_flight, "in Kafka, not yet due in the lake"),
            (topic.expired, "in the lake, no longer in Kafka: they cannot be compared"),
            (repeats, "repeated under the same id: clients resend what was not acknowledged; tables keep one"),
            (uncounted, "more in Kafka than the collectors counted: not sent by a collector, or around the full hour"),
            (-uncounted, "fewer in Kafka than the collectors counted: received around the full hour"),
        ):
            if count > 0:
                yield f"{family}: {count:,} {what}"
