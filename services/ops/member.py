"""A member's history as their page shows it: days, newest first, and a line that sums it up."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby

from domain.titles.catalogue import Catalogue
from schemas.events import ViewingRecord
from services.history.items import HistoryItem, history_item, moment


@dataclass(frozen=True, slots=True)
class Day:
    day: date
    """UTC."""
    items: list[HistoryItem]

    @property
    def watched_ms(self) -> int:
        return sum(item.watched_ms for item in self.items)


@dataclass(frozen=True, slots=True)
class Summary:
    sessions: int
    titles: int
    watched_ms: int
    devices: list[str]
    """Kinds of device, the most used first."""
    failures: int


def by_day(records: Sequence[ViewingRecord], catalogue: Catalogue) -> list[Day]:
    """Records in the order given (newest first), grouped by the UTC day on which they started."""
    items = [history_item(record, catalogue) for record in records]
    return [Day(day, list(group)) for day, group in groupby(items, key=lambda item: item.started_at.date())]


def summary(records: Sequence[ViewingRecord]) -> Summary:
    kinds: list[str] = [record.device_type for record in records]
    return Summary(
        sessions=len(records),
        titles=len({record.title_id for record in records}),
        watched_ms=sum(record.watched_ms for record in records),
        devices=sorted(set(kinds), key=lambda kind: (-kinds.count(kind), kind)),
        failures=sum(record.error_fatal for record in records),
    )


def since(record: ViewingRecord | None) -> str | None:
    """Day of a member's first session, for a person."""
    return moment(record.session_started_at).strftime("%-d %B %Y") if record else None
