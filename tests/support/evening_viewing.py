"""Who watches what on the invented evening."""

from random import Random
from uuid import UUID

import msgspec

from domain.recommendations.model import Reason
from domain.titles.catalogue import Title
from schemas.events import Playback, ViewingRecord
from tests.support.builders import playback, recorded

MINUTE = 60_000
DAY = 24 * 60 * MINUTE
FILMS = (
    ("ml-50", "Star Wars", 1977, 121),
    ("ml-98", "The Silence of the Lambs", 1991, 118),
    ("ml-100", "Fargo", 1996, 98),
    ("ml-127", "The Godfather", 1972, 175),
    ("ml-181", "Return of the Jedi", 1983, 131),
    ("ml-258", "Contact", 1997, 150),
    ("ml-268", "Chasing Amy", 1997, 113),
    ("ml-269", "The Full Monty", 1997, 91),
    ("ml-286", "The English Patient", 1996, 162),
    ("ml-302", "L.A. Confidential", 1997, 138),
    ("ml-313", "Titanic", 1997, 194),
    ("ml-483", "Casablanca", 1942, 102),
    ("ml-603", "Rear Window", 1954, 112),
    ("ml-655", "Stand by Me", 1986, 89),
    (
        "ml-474",
        "Dr. Strangelove or: How I Learned to Stop Worrying and Love the Bomb",
        1964,
        95,
    ),
)
DEVICES = ("tv", "tv", "tv", "phone", "tablet", "desktop", "set_top_box", "console")
COUNTRIES = ("NL", "DE", "US", "BR", "JP", "FR")
MEMBERS = ("ml-196", "ml-13", "ml-405", "ml-655", "ml-450", "ml-276", "ml-416", "ml-537", "ml-303", "ml-234")
MEMBER = MEMBERS[0]
"""The one with the richest history."""
RECOMMENDED: tuple[tuple[str, float, Reason, str | None], ...] = (
    ("ml-64", 2.4, "because", "ml-474"),
    ("ml-12", 2.1, "country", "NL"),
    ("ml-318", 1.9, "popular", None),
)
"""Titles that nobody has watched this evening."""


def titles() -> bytes:
    rows = (Title(title_id, name, year, minutes * MINUTE, ("Drama",)) for title_id, name, year, minutes in FILMS)
    return b"".join(msgspec.json.encode(row) + b"\n" for row in rows)


def session_id(random: Random) -> str:
    return str(UUID(int=random.getrandbits(128), version=4))


def session(random: Random, profile_id: str, started_at: int, now: int) -> Playback:
    """The newest event of one session that began then."""
    title_id, _, _, minutes = random.choice(FILMS)
    duration = minutes * MINUTE
    watched = min(int(duration * random.choice((0.03, 0.2, 0.45, 0.6, 0.8, 1.0))), max(0, now - started_at))
    running = started_at + duration > now and watched >= now - started_at
    failed = random.random() < 0.08
    stalls = random.choice((0, 0, 0, 1, 2, 6))
    at = started_at + watched
    return playback(
        event_id=session_id(random),
        profile_id=profile_id,
        playback_session_id=session_id(random),
        session_started_at=started_at,
        seq=1 + watched // 30_000,
        title_id=title_id,
        client_time=at,
        sent_at=at,
        received_at=at,
        event_time=at,
        device_type=random.choice(DEVICES),
        country=random.choice(COUNTRIES),
        event_type="error" if failed else "heartbeat" if running else "ended" if watched == duration else "stopped",
        player_state="playing" if running and not failed else "stopped",
        playhead_ms=watched,
        watched_ms=watched,
        duration_ms=duration,
        startup_time_ms=random.randrange(400, 3800),
        rebuffer_count=stalls,
        rebuffer_ms=stalls * random.randrange(300, 4000),
        bitrate_kbps=random.choice((1_800, 4_500, 8_000, 15_600)),
        error_code=random.choice(("drm_license_denied", "segment_timeout")) if failed else None,
        error_fatal=failed,
    )


def record(event: Playback) -> ViewingRecord:
    return recorded(event)
