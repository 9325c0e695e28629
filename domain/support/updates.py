"""What support sees of a member: each playback session as of its newest reported event, and the errors apps sent.

Events that affect playability are reported immediately. All others are reported at most once per ``REFRESH_MINUTES``,
so that an ongoing session is visibly alive. One row costs as much as folding several events, so more rows would slow
the worker down. Repeated or reordered reports leave the same rows.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import msgspec
import polars as pl

from domain.history.kept import KEPT_FIELDS
from schemas.events import DeviceType, ViewingRecord, write_timestamp

SUPPORT_EVENTS = ("play_requested", "first_frame", "rebuffer_started", "rebuffer_ended", "error", "stopped", "ended")
REFRESH_MINUTES = 10
"""The maximum age of the report of an ongoing session."""
MANY_REPORTS = 5_000
"""Store them once this many wait: each takes more than a kilobyte."""
FIELDS = tuple(name for name in ViewingRecord.__struct_fields__ if name not in KEPT_FIELDS)


class Received(NamedTuple):
    """How many events of a session were received."""

    events: int
    expected: int
    """One above the highest sequence number: the events that the client had sent by then."""


class SessionReport(msgspec.Struct, frozen=True, gc=False):
    """One of the last two fields may be None: a session that arrived too late is not counted, and an event that only
    closes a gap carries no newer state of its session."""

    profile_id: str
    listed_at: int
    playback_session_id: str
    record: ViewingRecord | None
    received: Received | None

    @property
    def write_timestamp(self) -> int:
        """In microseconds, as Cassandra has it. It rises with the highest sequence number received."""
        if self.record is not None:
            return self.record.write_timestamp
        return write_timestamp(self.playback_session_id, self.received.expected - 1 if self.received else 0)


class MemberError(msgspec.Struct, frozen=True, kw_only=True):
    """An error event that an app sent for a member; its stack trace is in the lake."""

    received_at: int
    event_time: int
    code: str
    message: str
    fatal: bool
    component: str
    playback_session_id: str | None
    device_id: str
    device_type: DeviceType
    app_name: str
    app_version: str
    country: str
    profile_id: str
    client_time: int
    event_id: str


class SessionTouch(NamedTuple):
    """An event to report, found while folding its partition's records."""

    place: int
    """Its index among the events folded together."""
    newest: bool
    """Whether it has the highest sequence number of its session so far."""
    received: Received | None


class SupportUpdates:
    """Collects reports until they are stored, the newest of each session."""

    def __init__(self) -> None:
        self._reports: dict[tuple[str, bool], SessionReport] = {}
        """By session, and by whether the report has a record."""

    def add(self, events: pl.DataFrame, touches: Sequence[SessionTouch]) -> None:
        """``touches`` in log order."""
        rows = events[[touch.place for touch in touches]]
        records = map(ViewingRecord, *(rows[name].to_list() for name in FIELDS))
        self._keep(_report(record, touch) for record, touch in zip(records, touches, strict=True))

    @property
    def many(self) -> bool:
        return len(self._reports) >= MANY_REPORTS

    def take(self) -> list[SessionReport]:
        """The reports since the last call."""
        reports = list(self._reports.values())
        self._reports.clear()
        return reports

    def put_back(self, reports: Sequence[SessionReport]) -> None:
        """These could not be stored: the next call returns them again."""
        newer = self.take()
        self._keep(reports)
        self._keep(newer)

    def _keep(self, reports: Iterable[SessionReport]) -> None:
        for report in reports:
            key = report.playback_session_id, report.record is not None
            current = self._reports.get(key)
            if current is None or report.write_timestamp >= current.write_timestamp:
                self._reports[key] = report


def errors_of_members(events: pl.DataFrame) -> list[MemberError]:
    """The error events of members; errors without a profile are left out."""
    rows = events.filter(pl.col("profile_id").is_not_null()).select(MemberError.__struct_fields__)
    return [MemberError(**row) for row in rows.iter_rows(named=True)]


def _report(record: ViewingRecord, touch: SessionTouch) -> SessionReport:
    return SessionReport(
        record.profile_id,
        record.listed_at,
        record.playback_session_id,
        record if touch.newest else None,
        touch.received,
    )
