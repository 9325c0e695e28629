"""Records with sensible defaults: a test names only what it is about."""

from typing import Any

from schemas.events import Playback, ViewingRecord

T0 = 1_700_000_000_000
"""A Tuesday evening in November 2023, in milliseconds."""
SESSION = "018bcfe5-6800-7000-8000-000000000001"


def playback(**changes: Any) -> Playback:
    """A heartbeat a minute into a film of 100 minutes."""
    fields: dict[str, Any] = {
        "event_id": "018bcfe5-6800-7000-8000-00000000e001",
        "client_time": T0 + 60_000,
        "sent_at": T0 + 60_100,
        "received_at": T0 + 60_200,
        "event_time": T0 + 60_100,
        "device_id": "device-1",
        "device_type": "tv",
        "app_name": "living-room",
        "app_version": "1.0.0",
        "country": "NL",
        "account_id": "account-1",
        "profile_id": "ml-1",
        "playback_session_id": SESSION,
        "session_started_at": T0,
        "seq": 3,
        "title_id": "ml-50",
        "title_class": "film",
        "event_type": "heartbeat",
        "player_state": "playing",
        "state_since_ms": 58_000,
        "playhead_ms": 58_000,
        "duration_ms": 6_000_000,
        "watched_ms": 58_000,
        "paused_ms": 0,
        "startup_time_ms": 1_500,
        "rebuffer_count": 0,
        "rebuffer_ms": 0,
        "seek_count": 0,
        "bitrate_kbps": 4_500,
        "error_code": None,
        "error_fatal": False,
        "recommendation_id": None,
    }
    return Playback(**(fields | changes))


def viewing_record(**changes: Any) -> ViewingRecord:
    """The state that ``playback()`` leaves."""
    event = playback()
    fields = {name: getattr(event, name) for name in ViewingRecord.__struct_fields__}
    return ViewingRecord(**(fields | changes))
