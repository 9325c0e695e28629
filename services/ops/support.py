"""Support's view of one member: what happened in the last sessions, and whether we received all of it."""

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Literal

from pydantic import BaseModel, Field

from domain.quality import formulas
from domain.support.ports import SupportReads
from domain.support.updates import REFRESH_MINUTES, MemberError, Received, SessionReport
from domain.titles.catalogue import Catalogue
from schemas.events import DeviceType, ViewingRecord
from services.http.messages import HistoryItem, Moment, history_item, moment

MOST_ERRORS = 100
SILENT_MS = REFRESH_MINUTES * 60_000 + formulas.SILENT_MS
"""An open session is reported more often than that."""
LATE_MS = 60 * 60 * 1000
Outcome = Literal["open", "silent", "ended", "stopped", "exited_before_start", "failed"]


class Events(BaseModel):
    """The events that we received of a session."""

    received: int | None = Field(description="Null when they came too late to be counted, as after offline viewing.")
    missing: int | None = Field(
        description="Sequence numbers not received. They may still come, up to 5 minutes after its end."
    )
    complete: bool = Field(description="Its end is known, and no event is missing or came too late to be counted.")
    last_received_at: Moment = Field(description="When we received the newest event shown here.")
    late_by_ms: int | None = Field(description="Delay of the newest event; null up to an hour. The device was offline.")


class ErrorItem(BaseModel):
    event_id: str
    at: Moment = Field(description="By the client's corrected clock.")
    code: str
    message: str
    fatal: bool = Field(description="The component could not continue.")
    component: str
    playback_session_id: str | None
    device_id: str
    device_type: DeviceType
    app_name: str
    app_version: str
    country: str


class SupportSession(HistoryItem):
    outcome: Outcome = Field(
        description="How it ended. `silent`: no event for 12 minutes, and no stop: "
        "the app or the network is gone. `exited_before_start`: left before the first frame."
    )
    events: Events
    errors: list[ErrorItem] = Field(description="Reported in this session, newest first.")


class DeviceItem(BaseModel):
    """A device under one version of its app."""

    id: str
    type: DeviceType
    app_version: str
    last_seen_at: Moment
    sessions: int
    failed: int


class SupportView(BaseModel):
    sessions: list[SupportSession] = Field(description="Newest start first.")
    errors: list[ErrorItem] = Field(description="Outside the sessions above, newest first.")
    devices: list[DeviceItem] = Field(description="Of the sessions above, the last seen first.")


async def support_view(reads: SupportReads, profile_id: str, limit: int, catalogue: Catalogue, now: int) -> SupportView:
    """``limit``: sessions; ``now``: milliseconds since the epoch. Raises TransientError."""
    reports, errors = await asyncio.gather(reads.reports(profile_id, limit), reads.errors(profile_id, MOST_ERRORS))
    of_session: dict[str | None, list[ErrorItem]] = defaultdict(list)
    for error in errors:
        of_session[error.playback_session_id].append(_error_item(error))
    sessions = [
        _session(report.record, report.received, of_session.pop(report.playback_session_id, []), catalogue, now)
        for report in reports
        if report.record
    ]
    others = [item for items in of_session.values() for item in items]
    others.sort(key=lambda item: item.at, reverse=True)
    return SupportView(sessions=sessions, errors=others, devices=_devices(reports))


def outcome(record: ViewingRecord, now: int) -> Outcome:
    if record.error_fatal:
        return "failed"
    if formulas.exited_before_start(record.event_type, record.startup_time_ms, record.error_fatal):
        return "exited_before_start"
    if record.event_type == "ended":
        return "ended"
    if record.event_type == "stopped":
        return "stopped"
    return "silent" if now - record.received_at > SILENT_MS else "open"


def _session(
    record: ViewingRecord, received: Received | None, errors: list[ErrorItem], catalogue: Catalogue, now: int
) -> SupportSession:
    how = outcome(record, now)
    missing = received.expected - received.events if received else None
    all_counted = received is not None and record.seq < received.expected
    delay = record.received_at - record.event_time
    events = Events(
        received=received.events if received else None,
        missing=missing,
        complete=all_counted and missing == 0 and how not in ("open", "silent"),
        last_received_at=moment(record.received_at),
        late_by_ms=delay if delay > LATE_MS else None,
    )
    return SupportSession(**dict(history_item(record, catalogue)), outcome=how, events=events, errors=errors)


def _error_item(error: MemberError) -> ErrorItem:
    same = {name: getattr(error, name) for name in ErrorItem.model_fields if name != "at"}
    return ErrorItem(at=moment(error.event_time), **same)


def _devices(reports: Sequence[SessionReport]) -> list[DeviceItem]:
    found: dict[tuple[str, str], list[ViewingRecord]] = defaultdict(list)
    for record in _records(reports):
        found[record.device_id, record.app_version].append(record)
    devices = [
        DeviceItem(
            id=device_id,
            type=records[0].device_type,
            app_version=app_version,
            last_seen_at=moment(max(record.event_time for record in records)),
            sessions=len(records),
            failed=sum(record.error_fatal for record in records),
        )
        for (device_id, app_version), records in found.items()
    ]
    return sorted(devices, key=lambda device: device.last_seen_at, reverse=True)


def _records(reports: Iterable[SessionReport]) -> list[ViewingRecord]:
    return [report.record for report in reports if report.record]
