"""Playback events of the size and shape of real ones, from many viewers at once."""

from collections.abc import Iterator
from random import Random
from uuid import UUID

from schemas.events import Playback

START = 1_790_000_000_000
HEARTBEAT_MS = 30_000
EVENTS_A_SESSION = 40
PROFILE = "bench-{}"


def playback_events(count: int, viewers: int) -> Iterator[Playback]:
    """``viewers`` watch at the same time and report in turn, 40 events a session, one session after the other."""
    random = Random(7)
    sessions = [_session(viewer, 0, random) for viewer in range(viewers)]
    for number in range(count):
        viewer, beat = number % viewers, number // viewers
        if beat % EVENTS_A_SESSION == 0 and beat:
            sessions[viewer] = _session(viewer, beat, random)
        yield _event(sessions[viewer], beat % EVENTS_A_SESSION, START + beat * HEARTBEAT_MS, random)


def _session(viewer: int, beat: int, random: Random) -> dict[str, str | int]:
    started_at = START + beat * HEARTBEAT_MS
    return {
        "device_id": f"device-{viewer:08x}",
        "account_id": f"account-{viewer // 3}",
        "profile_id": PROFILE.format(viewer),
        "playback_session_id": str(UUID(int=(started_at << 80) | (7 << 76) | (2 << 62) | random.getrandbits(62))),
        "session_started_at": started_at,
        "title_id": f"ml-{random.randrange(1, 1682)}",
        "country": random.choice(("NL", "DE", "US", "BR", "JP")),
    }


def _event(session: dict[str, str | int], seq: int, now: int, random: Random) -> Playback:
    delay = random.randrange(20, 400)
    fields: dict[str, object] = {
        **session,
        "event_id": str(UUID(int=(now << 80) | (7 << 76) | (2 << 62) | random.getrandbits(62))),
        "client_time": now,
        "sent_at": now + 5,
        "received_at": now + delay,
        "event_time": now + delay - 5,
        "device_type": "tv",
        "app_name": "living-room",
        "app_version": "4.2.1",
        "seq": seq,
        "title_class": "film",
        "event_type": "heartbeat" if seq else "play_requested",
        "player_state": "playing",
        "state_since_ms": seq * HEARTBEAT_MS,
        "playhead_ms": seq * HEARTBEAT_MS,
        "duration_ms": 6_900_000,
        "watched_ms": seq * HEARTBEAT_MS,
        "paused_ms": 0,
        "startup_time_ms": 1_240 if seq else None,
        "rebuffer_count": seq // 10,
        "rebuffer_ms": seq // 10 * 900,
        "seek_count": 0,
        "bitrate_kbps": 5_800,
        "error_fatal": False,
    }
    return Playback(**fields)  # type: ignore[arg-type]  # one dict for all, as it is the fastest
