"""What goes wrong on the invented evening: events refused, alerts, and the member who calls support."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from domain.support.updates import Received, SessionReport
from tests.support.builders import member_error, session_report
from tests.support.evening_viewing import DAY, FILMS, MEMBERS, MINUTE
from tests.support.fake_quality import FakeSupport

TROUBLED = MEMBERS[1]
"""The one who calls support."""
REFUSALS = (
    ("lake", "not_framed", "The payload starts with 7b22657665; it must start with 00 and a schema id.", None, 2),
    ("collector", "out_of_range", "playhead_ms is -4; it must be from 0 to 31622400000.", "playhead_ms", None),
    (
        "collector",
        "in_future",
        "session_started_at is two days ahead; the server's time is 2026-03-02T20:14:09Z.",
        "session_started_at",
        None,
    ),
    ("lake", "bad_format", "country is 'Netherlands'; it must be an ISO 3166-1 alpha-2 code.", "country", 0),
    ("collector", "unknown_field", "Object contains unknown field `playhead`.", "playhead", None),
)


def firing(name: str, severity: str, since: int, summary: str = "", inhibited_by: Sequence[str] = ()) -> dict[str, Any]:
    """An alert as Alertmanager shows it; ``inhibited_by`` names others."""
    return {
        "fingerprint": name,
        "labels": {"alertname": name, "severity": severity},
        "annotations": {"summary": summary, "runbook_url": f"docs/operate/alerts/{name}.md"},
        "startsAt": datetime.fromtimestamp(since / 1000, UTC).isoformat(),
        "status": {"state": "active", "inhibitedBy": list(inhibited_by), "silencedBy": []},
    }


def outage(now: int) -> list[dict[str, Any]]:
    """Televisions fail, and its symptom is inhibited; the ticket has another cause."""
    return [
        firing("Watchdog", "none", now - DAY),
        firing("CompactionBacklog", "ticket", now - 3 * 60 * MINUTE, "Compactions wait"),
        firing("StartsDropped", "page", now - MINUTE, "Fewer plays start than a week ago", ["PlaybackFailures"]),
        firing("PlaybackFailures", "page", now - 4 * MINUTE, "Playback fails on tv with version 9.4.0"),
    ]


def tell_support(support: FakeSupport, now: int) -> None:
    """Support's view of one member: this evening the television fails and the phone mostly works."""

    def told(number: int, ago_ms: int, lasted_ms: int, received: Received | None, **changes: Any) -> SessionReport:
        at = now - ago_ms
        end = {"event_time": at + lasted_ms, "received_at": at + lasted_ms, "watched_ms": lasted_ms, "seq": 12}
        film = {"title_id": FILMS[number][0], "duration_ms": FILMS[number][3] * MINUTE, "playhead_ms": lasted_ms}
        names = {"session_started_at": at, "device_id": "living-room", "app_version": "9.4.0"}
        report = session_report(TROUBLED, 800 + number, received, **(end | film | names | changes))
        support.add_report(report)
        return report

    def met(of: SessionReport | None, number: int, ago_ms: int, **changes: Any) -> None:
        support.add_error(
            member_error(
                profile_id=TROUBLED,
                event_id=f"018bcfe5-6800-7000-8000-{number:012d}",
                client_time=now - ago_ms,
                event_time=now - ago_ms,
                playback_session_id=of.playback_session_id if of else None,
                **({"app_version": "9.4.0"} | changes),
            )
        )

    never: dict[str, Any] = {"startup_time_ms": None, "watched_ms": 0, "playhead_ms": 0, "player_state": "stopped"}
    failed: dict[str, Any] = never | {"event_type": "error", "error_fatal": True, "error_code": "drm.license_denied"}
    told(0, 40_000, 31_000, Received(7, 7), **(never | {"player_state": "starting", "event_type": "play_requested"}))
    for number, ago in ((1, 3 * MINUTE), (2, 5 * MINUTE), (3, 6 * MINUTE)):
        report = told(number, ago, 4_000, Received(13, 13), **failed)
        met(report, number, ago - 4_000, code="drm.license_denied", message="The licence server answered 403.")
    told(4, 9 * MINUTE, 21_000, Received(13, 13), **(never | {"event_type": "stopped"}))
    phone: dict[str, Any] = {"device_id": "pocket", "device_type": "phone", "app_version": "24.11.0"}
    stalled = {"rebuffer_count": 7, "rebuffer_ms": 48_000, "bitrate_kbps": 560}
    told(5, 40 * MINUTE, 20 * MINUTE, Received(9, 13), **(phone | stalled))
    ended: dict[str, Any] = {"event_type": "ended", "player_state": "stopped"}
    told(6, 26 * 60 * MINUTE, FILMS[6][3] * MINUTE, Received(13, 13), **(ended | {"app_version": "9.3.2"}))
    flight = told(7, 3 * DAY, 80 * MINUTE, None, **(phone | ended | {"received_at": now - 2 * DAY}))
    met(flight, 7, 3 * DAY - 70 * MINUTE, **phone, code="media.decode", message="Frame dropped.", fatal=False)
    met(None, 8, 8 * MINUTE, code="account.token", message="Signed out: the token had expired.", component="account")
