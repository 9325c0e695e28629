"""The validation rules: one table for events over HTTP and for bytes in Kafka.

The bounds keep a row small (a playback event under 1 KiB), so that no event is too large for a store. Rules may be
loosened at any time. Tightening one would turn events that are still in Kafka into dead letters, so a new or tighter
rule goes into ``DOOR_RULES``: it holds for what clients send from now on, not for what was accepted before.
"""

from schemas.errors import InvalidEvent
from schemas.events import YEAR_2100, Event, Record, record_name
from schemas.rule_types import (
    CountsUp,
    Each,
    Entries,
    Equal,
    Finite,
    NotAfter,
    Only,
    Pattern,
    Positive,
    Range,
    Required,
    Rule,
    Text,
    Uuid,
    WithinSession,
)
from schemas.topics import FAMILIES

YEAR_MS = 366 * 24 * 60 * 60 * 1000
PLAYHEAD_SLACK_MS = 60_000
MOST_INT = 2**31 - 1
MOST_COUNT = 1_000_000
SESSION_SLACK_MS = 5 * 60_000
"""How much a session's counters may exceed its length: a client's clocks differ, and one may have been set a little."""
MOST_PER_SECOND = 20
"""Events, stalls or seeks: no player has more for long."""
FIRST_COUNTS = 1000
"""So many it may have at once."""

MAX_BYTES = {
    "ui": 2 * 1024,
    "playback": 1024,
    "error": 24 * 1024,
    "diagnostic": 24 * 1024,
    "processing": 2 * 1024,
    "performance": 2 * 1024,
    "compaction_request": 1024,
    "viewing_record": 1024,
    "asset": 32 * 1024,
    "account_record": 1024,
    "entitlement_record": 1024,
    "revocation_record": 1024,
}
"""Maximum datum size per record. A valid record is smaller; a dead letter may be as large as its input."""


def _time(field: str) -> Range:
    return Range(field, 1, YEAR_2100)


def _duration(field: str) -> Range:
    return Range(field, 0, YEAR_MS)


def _id(field: str) -> Text:
    return Text(field, 64)


_COUNTRY = Pattern("country", "[A-Z]{2}", "an ISO 3166-1 alpha-2 code in upper case, such as DE")
_ENVELOPE: tuple[Rule, ...] = (
    Uuid("event_id"),
    _time("client_time"),
    _time("sent_at"),
    _time("received_at"),
    _time("event_time"),
    NotAfter("event_time", "received_at", 0, "in_future", "the time of receipt"),
    _id("device_id"),
    Text("app_name", 64),
    Text("app_version", 32),
    _COUNTRY,
    _id("account_id"),
    _id("profile_id"),
)


def _tag(field: str, most: int = 35) -> Pattern:
    return Pattern(field, f"[A-Za-z0-9.-]{{1,{most}}}", f"1 to {most} letters, digits, dots and hyphens")


def _count(field: str, low: int = 1, high: int = MOST_COUNT) -> Range:
    return Range(field, low, high)


_ASSET: tuple[Rule, ...] = (
    Uuid("event_id"),
    _time("received_at"),
    # It is a folder of the bucket, and a part of addresses.
    Pattern("title_id", "[A-Za-z0-9][A-Za-z0-9._~-]{0,63}", "1 to 64 letters, digits and . _ ~ -, no mark first"),
    _count("seq", 1, MOST_INT),
    Pattern("version", "[0-9a-f]{32}", "32 hexadecimal digits in lower case"),
    Pattern("source_digest", "[0-9a-f]{64}", "a SHA-256 in lower-case hexadecimal"),
    Text("credit", 512),
    Range("duration_ms", 1, YEAR_MS),
    _count("segment_ms"),
    Each(
        "renditions",
        (
            _count("quality", 1, 99),
            _tag("codec"),
            _count("width", 1, 2**14),
            _count("height", 1, 2**14),
            _count("frame_rate", 1, 1000),
            _count("frames", 1, MOST_INT),
            _count("peak_kbps"),
            _count("average_kbps"),
            _count("vmaf", 0, 100),
        ),
        least=1,
        most=32,
    ),
    Each(
        "audio",
        (_tag("name"), _tag("language"), _tag("codec"), _count("channels", 1, 64), _count("kbps")),
        most=64,
    ),
    Each("subtitles", (_tag("name"), _tag("language")), most=128),
    Each(
        "thumbnails",
        tuple(_count(name) for name in ("interval_ms", "width", "height", "columns", "rows", "count")),
    ),
)

_COUNTED: tuple[Rule, ...] = (
    Uuid("event_id"),
    _time("received_at"),
    _id("account_id"),
    _count("seq", 1, MOST_INT),
)

RULES: dict[str, tuple[Rule, ...]] = {
    "ui": (
        *_ENVELOPE,
        Text("page", 128),
        Range("row", 0, 10_000),
        Range("position", 0, 10_000),
        _id("title_id"),
        Required("title_id", when=Equal("action", "impression")),
        Text("query", 256),
        Required("query", when=Equal("action", "search")),
        Only("query", when=Equal("action", "search")),
        _id("recommendation_id"),
    ),
    "playback": (
        *_ENVELOPE,
        Uuid("playback_session_id"),
        _time("session_started_at"),
        _time("start_time"),
        NotAfter("start_time", "event_time", 0, "in_future", "the event's time"),
        Range("seq", 0, MOST_INT),
        _id("title_id"),
        _duration("state_since_ms"),
        Range("playhead_ms", 0, YEAR_2100),  # a live stream's timeline may count from 1970
        Range("duration_ms", 1, YEAR_MS),
        NotAfter(
            "playhead_ms",
            "duration_ms",
            PLAYHEAD_SLACK_MS,
            "out_of_range",
            "duration_ms",
            unless=Equal("title_class", "live"),
        ),
        _duration("watched_ms"),
        _duration("paused_ms"),
        _duration("startup_time_ms"),
        Required("startup_time_ms", when=Positive("watched_ms")),
        Required("startup_time_ms", when=Positive("rebuffer_count")),
        Range("rebuffer_count", 0, MOST_COUNT),
        _duration("rebuffer_ms"),
        Only("rebuffer_ms", when=Positive("rebuffer_count"), unset=0),
        Range("seek_count", 0, MOST_COUNT),
        Range("bitrate_kbps", 0, MOST_COUNT),
        Text("error_code", 64),
        Required("error_code", when=Equal("error_fatal", True)),
        Required("error_code", when=Equal("event_type", "error")),
        _id("recommendation_id"),
    ),
    "error": (
        *_ENVELOPE,
        Text("code", 64),
        Text("message", 1024),
        Text("component", 128),
        Uuid("playback_session_id"),
        Text("stack", 16 * 1024),
    ),
    "diagnostic": (*_ENVELOPE, Text("name", 128), Entries("fields", most=32, key_bytes=64, value_bytes=512)),
    "processing": (*_ENVELOPE, Text("job", 128), Text("stage", 128), _id("title_id"), _duration("duration_ms")),
    "performance": (*_ENVELOPE, Text("metric", 128), Finite("value"), Text("unit", 32), Uuid("playback_session_id")),
    "compaction_request": (_id("profile_id"), _time("requested_at"), Range("live_records", 0, MOST_INT)),
    "asset": _ASSET,
    "account_record": (
        *_COUNTED,
        _id("profile_id"),
        Required("profile_id", when=Equal("kind", "profile")),
        _id("device_id"),
        Required("device_id", when=Equal("kind", "device")),
        _COUNTRY,
        _tag("maturity", 16),
    ),
    "entitlement_record": (*_COUNTED, _tag("plan"), Range("streams", 0, 100), _time("until")),
    "revocation_record": (*_COUNTED, _id("device_id"), _id("profile_id"), _time("not_before")),
}
"""Rules per record. Viewing records and dead letters have none: we write them ourselves, and tightening a rule must not
make a member's history unreadable."""


DOOR_RULES: dict[str, tuple[Rule, ...]] = {
    "playback": (
        WithinSession("watched_ms", ("paused_ms", "rebuffer_ms", "startup_time_ms"), SESSION_SLACK_MS),
        CountsUp("seq", ("rebuffer_count", "seek_count"), MOST_PER_SECOND, FIRST_COUNTS),
    ),
}
"""Rules that hold at the collector only, in addition."""


def rules_at_door(family: str) -> tuple[Rule, ...]:
    return RULES[family] + DOOR_RULES.get(family, ())


_AT_DOOR = {family: rules_at_door(family) for family in FAMILIES}


def check_at_door(event: Event) -> None:
    """Raises InvalidEvent for the first broken rule, of those for events that a client sends."""
    for rule in _AT_DOOR[record_name(event)]:
        if violation := rule.violation(event):
            raise violation


def violations_at_door(family: str, values: object) -> list[InvalidEvent]:
    """Every broken rule. ``values`` has an event's fields as attributes, without those that could not be read: rules
    that need one of these are skipped."""
    found = []
    for rule in _AT_DOOR[family]:
        try:
            violation = rule.violation(values)
        except AttributeError:
            continue
        if violation:
            found.append(violation)
    return found


def check(record: Record) -> None:
    """Raises InvalidEvent for the first broken rule."""
    for rule in RULES.get(record_name(record), ()):
        if violation := rule.violation(record):
            raise violation


def check_size(record: str, datum: bytes) -> None:
    most = MAX_BYTES.get(record)
    if most is not None and len(datum) > most:
        raise InvalidEvent("too_large", f"The event has {len(datum)} bytes; a {record} event has at most {most}.")
