"""What happens to slots, as ``diagnostic`` events: the service reports them itself, straight into Kafka."""

from collections.abc import Callable

import uuid_utils

from domain.clock import Clock
from domain.slots.model import Answer, Stream
from schemas.countries import UNKNOWN_COUNTRY
from schemas.events import Diagnostic

APP, VERSION = "playback", "1"


class Happenings:
    """``report`` neither waits nor raises: no play waits for Kafka."""

    def __init__(self, report: Callable[[Diagnostic], None], now: Clock) -> None:
        self._report = report
        self._now = now

    def started(self, account_id: str, allowed: int, stream: Stream, answer: Answer, instead_of: str | None) -> None:
        if answer.verdict == "uncounted":
            self._send("stream_uncounted", account_id, allowed, stream)
        elif answer.verdict == "full":
            self._send("stream_refused", account_id, allowed, stream)
        elif instead_of is not None:
            self._send("stream_stopped", account_id, allowed, stream, stopped=instead_of)

    def went_on(self, account_id: str, allowed: int, stream: Stream, answer: Answer) -> None:
        if answer.verdict == "full":
            self._send("stream_refused", account_id, allowed, stream, after_start="true")

    def _send(self, name: str, account_id: str, allowed: int, stream: Stream, **fields: str) -> None:
        now = self._now()
        about = {"playback_session_id": stream.session, "title_id": stream.title_id, "streams": str(allowed)}
        self._report(
            Diagnostic(
                event_id=str(uuid_utils.uuid7()),
                client_time=now,
                sent_at=now,
                received_at=now,
                event_time=now,
                device_id=stream.device_id,
                device_type="unknown",
                app_name=APP,
                app_version=VERSION,
                country=UNKNOWN_COUNTRY,
                account_id=account_id,
                profile_id=stream.profile_id,
                name=name,
                level="warning" if name == "stream_uncounted" else "info",
                fields=about | fields,
            )
        )
