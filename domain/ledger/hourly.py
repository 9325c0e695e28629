"""One hour of receipt, proven anew from Kafka and the lake themselves; the accounts only say where to look."""

from collections.abc import Callable
from dataclasses import dataclass, field

import polars as pl

from domain.lake.keys import Chain
from domain.ledger.compare import Audit, Span, inside, pieces
from domain.ledger.sources import Places
from domain.ledger.state import Finding
from schemas.topics import TOPICS


@dataclass(slots=True)
class HourSide:
    """One topic's records of the hour."""

    topic: str
    kafka: int = 0
    """Valid ones."""
    lake: int = 0
    dead_letters: int = 0
    """Invalid ones in Kafka; one that no dead letter names is a finding."""
    on_its_way: int = 0
    """In Kafka behind the end of the lake, not for long enough to be missed."""
    expired: int = 0
    """In the lake, and no longer in Kafka."""
    event_ids: list[pl.Series] = field(default_factory=list)
    """Of the lake's rows."""
    difference: int = 0
    findings: list[str] = field(default_factory=list)

    @property
    def distinct(self) -> int | None:
        """None for a topic whose records are no events."""
        ids = pl.concat(self.event_ids).drop_nulls() if self.event_ids else None
        return None if ids is None or (ids.is_empty() and self.lake) else ids.n_unique()


class HourlyLedger:
    def __init__(self, places: Places, overdue_ms: int) -> None:
        """``overdue_ms``: what Kafka appended before that time is missed if the lake does not have it."""
        self._places = places
        self._overdue_ms = overdue_ms

    def prove(self, hour: int, progress: Callable[[str], None]) -> list[HourSide]:
        """Every topic's side of an hour since the epoch. TransientError while an engine is away."""
        sides = {topic: HourSide(topic) for topic in TOPICS}
        for topic, topic_id, partition, _, _ in self._places.log.spans(TOPICS):
            progress(f"{topic}[{partition}]")
            self._partition(sides[topic], Chain(topic, topic_id, partition), hour)
        return list(sides.values())

    def _partition(self, side: HourSide, chain: Chain, hour: int) -> None:
        account = self._places.accounts.load(chain)
        newer = self._places.objects(chain, account.newest_object)
        taken = max((account.position, *(each.end for each in newer)))
        log = self._places.offsets(chain)  # after the lake: what that has, Kafka had before
        counted = account.hours.get(hour)
        spans = [(counted.start, counted.end)] if counted else []
        for span in (*spans, (account.position, max(log[1], taken))):
            for piece, of in pieces(span, self._places.objects(chain, span[0])):
                audit = self._places.auditor.audit(chain, piece, of, log)
                self._add(side, chain, hour, audit, behind=of is None and piece[0] >= taken)

    def _add(self, side: HourSide, chain: Chain, hour: int, audit: Audit, behind: bool) -> None:
        """``behind``: the lake has not come so far yet."""
        kafka, lake = audit.kafka.filter(hour=hour), audit.lake.filter(hour=hour)
        side.kafka += int(kafka["valid"].sum())
        side.dead_letters += int((~kafka["valid"]).sum())
        side.lake += lake.height
        side.expired += lake.join(kafka, on="offset", how="anti").height if audit.expired else 0
        side.event_ids.append(lake["event_id"])
        if behind and kafka.filter(pl.col("appended") < self._overdue_ms).is_empty():
            side.on_its_way += kafka.height
            return
        for finding in audit.findings:
            if records := _of_hour(finding, audit, kafka, lake):
                side.difference += records
                side.findings.append(f"{chain.topic}[{chain.partition}]: {finding.what}")


def _of_hour(finding: Finding, audit: Audit, kafka: pl.DataFrame, lake: pl.DataFrame) -> int:
    """How many of the records that differ are of the hour; all of them where nobody can tell."""
    at: Span = finding.start, finding.end
    if audit.kafka.filter(inside(at)).is_empty() and audit.lake.filter(inside(at)).is_empty():
        return finding.records
    return max(kafka.filter(inside(at)).height, lake.filter(inside(at)).height)
