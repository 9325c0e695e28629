"""What support is told of a member: each playback session as its newest telling event left it, and reported errors.

Told are the events on which it hangs whether it plays, and of all others one in ``REFRESH_MINUTES``, so that a session
which goes on is seen to. Each row costs as much as folding several events: more would be noticed. What is told twice,
or in another order, leaves the same rows.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import msgspec
import polars as pl

from schemas.events import DeviceType, ViewingRecord

TELLING_EVENTS = ("play_requested", "first_frame", "rebuffer_started", "rebuffer_ended", "error", "stopped", "ended")
REFRESH_MINUTES = 10
"""So old what is told of a session that just goes on may be."""
FIELDS: tuple[str, ...] = ViewingRecord.__struct_fields__


class Received(NamedTuple):
    """How much of a session came."""

    events: int
    expected: int
    """One above the highest sequence number: so many the client had sent by then."""


class SessionReport(msgspec.Struct, frozen=True, gc=False):
    """One of the last two may be missing: a session that came too late is not counted, and an event that only closes
    a gap says nothing new of its session."""

    profile_id: str
    session_started_at: int
    playback_session_id: str
    record: ViewingRecord | None
    received: Received | None

    @property
    def write_timestamp(self) -> int:
        """Microseconds to Cassandra: rises with the highest sequence number that came."""
        if self.record is not None:
            return self.record.write_timestamp
        return self.session_started_at * 1000 + (self.received.expected - 1 if self.received else 0)


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


class Touch(NamedTuple):
    """An event to tell of, found while its partition's records are folded."""

    place: int
    """Among the events that are folded together."""
    newest: bool
    """No event of its session with a higher sequence number is known."""
    received: Received | None


class Telling:
    """Collects reports until they are stored; of each session the newest."""

    def __init__(self) -> None:
        self._reports: dict[tuple[str, bool], SessionReport] = {}
        """By session, and whether there is a record in it."""

    def note(self, events: pl.DataFrame, touches: Sequence[Touch]) -> None:
        """``touches`` in the log's order."""
        rows = events[[touch.place for touch in touches]]
        records = map(ViewingRecord, *(rows[name].to_list() for name in FIELDS))
        self._keep(_report(record, touch) for record, touch in zip(records, touches, strict=True))

    def take(self) -> list[SessionReport]:
        """Since the last call."""
        reports = list(self._reports.values())
        self._reports.clear()
        return reports

    def put_back(self, reports: Sequence[SessionReport]) -> None:
        """These could not be stored: they are among the next ones again."""
        newer = self.take()
        self._keep(reports)
        self._keep(newer)

    def _keep(self, reports: Iterable[SessionReport]) -> None:
        for report in reports:
            key = report.playback_session_id, report.record is not None
            there = self._reports.get(key)
            if there is None or report.write_timestamp >= there.write_timestamp:
                self._reports[key] = report


def errors_of_members(events: pl.DataFrame) -> list[MemberError]:
    """Decoded error events, but for those that no member met."""
    rows = events.filter(pl.col("profile_id").is_not_null()).select(MemberError.__struct_fields__)
    return [MemberError(**row) for row in rows.iter_rows(named=True)]


def _report(record: ViewingRecord, touch: Touch) -> SessionReport:
    return SessionReport(
        record.profile_id,
        record.session_started_at,
        record.playback_session_id,
        record if touch.newest else None,
        touch.received,
    )
