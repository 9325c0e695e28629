"""One valid event per family, for the documentation. A test sends each of them.

Times and ids are fixed, so sending an example twice is a retry: nothing changes downstream.
"""

from typing import Any

SENT_AT = 1_748_800_000_000
SESSION = "01972a3e-8c00-7aaa-8aaa-0123456789ab"
_ENVELOPE = {
    "client_time": SENT_AT - 200,
    "device_id": "tv-living-budget",
    "device_type": "tv",
    "app_name": "webos",
    "app_version": "1.0.0",
    "country": "DE",
}

EXAMPLES: dict[str, dict[str, Any]] = {
    "ui": {
        "family": "ui",
        "event_id": "01972a3e-8c00-7000-8000-000000000001",
        **_ENVELOPE,
        "profile_id": "me",
        "action": "click",
        "page": "home",
        "row": 0,
        "position": 3,
        "title_id": "ml-50",
    },
    "playback": {
        "family": "playback",
        "event_id": "01972a3e-8c00-7000-8000-000000000002",
        **_ENVELOPE,
        "profile_id": "me",
        "playback_session_id": SESSION,
        "session_started_at": SENT_AT - 600_000,
        "seq": 20,
        "title_id": "ml-50",
        "title_class": "film",
        "event_type": "heartbeat",
        "player_state": "playing",
        "state_since_ms": 300_000,
        "playhead_ms": 590_000,
        "duration_ms": 7_260_000,
        "watched_ms": 590_000,
        "paused_ms": 0,
        "startup_time_ms": 900,
        "rebuffer_count": 1,
        "rebuffer_ms": 1_200,
        "seek_count": 0,
        "bitrate_kbps": 5_800,
        "error_fatal": False,
    },
    "error": {
        "family": "error",
        "event_id": "01972a3e-8c00-7000-8000-000000000003",
        **_ENVELOPE,
        "profile_id": "me",
        "code": "drm_license_expired",
        "message": "The licence server answered 403.",
        "fatal": False,
        "component": "drm",
        "playback_session_id": SESSION,
    },
    "diagnostic": {
        "family": "diagnostic",
        "event_id": "01972a3e-8c00-7000-8000-000000000004",
        **_ENVELOPE,
        "name": "decoder_reset",
        "level": "warning",
        "fields": {"codec": "hevc", "resets": "2"},
    },
    "processing": {
        "family": "processing",
        "event_id": "01972a3e-8c00-7000-8000-000000000005",
        **_ENVELOPE,
        "device_id": "encoder-7",
        "device_type": "server",
        "app_name": "transcoder",
        "job": "transcode-ml-50",
        "stage": "segment",
        "status": "succeeded",
        "title_id": "ml-50",
        "duration_ms": 48_000,
    },
    "performance": {
        "family": "performance",
        "event_id": "01972a3e-8c00-7000-8000-000000000006",
        **_ENVELOPE,
        "metric": "time_to_interactive",
        "value": 812.5,
        "unit": "ms",
    },
}
