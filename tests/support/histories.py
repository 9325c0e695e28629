"""Invented histories of one profile: quick to make, the same for a seed, with about everything that records have."""

from random import Random

import msgspec

from producers.simulator.ids import uuid7
from schemas.events import ViewingRecord
from tests.support.builders import T0, viewing_record

_DEVICES = (
    {"device_id": "living-room", "device_type": "tv", "app_version": "9.4.0"},
    {"device_id": "pocket", "device_type": "phone", "app_version": "24.11.0"},
)
_ERRORS = (None, None, None, "network.timeout", "drm.license_denied")


def history(sessions: int, seed: int = 1, profile_id: str = "ml-1") -> list[ViewingRecord]:
    """In order of time; no two sessions start together."""
    random = Random(seed)
    started_at = T0
    records = []
    for _ in range(sessions):
        started_at += random.randint(1_000, 200_000_000)
        records.append(_session(started_at, profile_id, random))
    return records


def _session(started_at: int, profile_id: str, random: Random) -> ViewingRecord:
    duration, error = random.randint(600_000, 9_000_000), random.choice(_ERRORS)
    watched = 0 if error else random.choice((duration, random.randrange(duration)))
    rebuffer_count = random.choice((0, 0, 0, 1, 4)) if watched else 0
    record = viewing_record(
        profile_id=profile_id,
        playback_session_id=uuid7(started_at, random),
        session_started_at=started_at,
        start_time=random.choice((None, started_at + random.randrange(900))),
        seq=watched // 30_000 + random.randrange(5),
        title_id=f"ml-{random.randrange(200)}",
        event_type="error" if error else "ended" if watched == duration else "stopped",
        event_time=started_at + watched + random.randrange(5_000),
        player_state="stopped",
        playhead_ms=watched,
        duration_ms=random.choice((duration, duration, duration, None)),
        watched_ms=watched,
        paused_ms=random.choice((0, 0, random.randrange(200_000))),
        startup_time_ms=random.randint(300, 9_000) if watched else None,
        rebuffer_count=rebuffer_count,
        rebuffer_ms=rebuffer_count * random.randint(200, 9_000),
        seek_count=random.randrange(3),
        bitrate_kbps=random.choice((None, 3_000, 5_800, 8_000)),
        error_code=error,
        error_fatal=error is not None,
        recommendation_id=random.choice((None, None, uuid7(started_at - 9_000, random), "row-3/ml-50")),
        country=random.choice(("NL", "NL", "NL", "DE")),
        **random.choice(_DEVICES),
    )
    return msgspec.structs.replace(record, received_at=record.event_time + random.randrange(5_000))
