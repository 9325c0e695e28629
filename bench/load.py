"""Playback events of the size and shape of real ones, from many viewers at once."""

from collections.abc import Iterator, Sequence
from random import Random
from uuid import UUID

from schemas.events import Playback

START = 1_790_000_000_000
HEARTBEAT_MS = 30_000
EVENTS_A_SESSION = 40


def playback_events(count: int, viewers: Sequence[str], start: int = START) -> Iterator[Playback]:
    """All viewers (profiles) watch at once and send events in turn: 40 per session, one session after another."""
    random = Random(7)
    sessions = [_session(viewer, start, random) for viewer in viewers]
    for number in range(count):
        viewer, beat = number % len(viewers), number // len(viewers)
        now = start + beat * HEARTBEAT_MS
        if beat % EVENTS_A_SESSION == 0 and beat:
            sessions[viewer] = _session(viewers[viewer], now, random)
        yield _event(sessions[viewer], beat % EVENTS_A_SESSION, now, random)


def _session(profile: str, started_at: int, random: Random) -> dict[str, str | int]:
    return {
        "device_id": f"device-{profile}",
        "account_id": f"account-{profile}",
        "profile_id": profile,
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
