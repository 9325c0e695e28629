"""Every way to be refused, once: for each rule an event that breaks it and no rule before it.

The same table goes through the codec, through HTTP and, as Avro bytes, through Kafka.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from schemas.events import YEAR_2100
from schemas.rules import YEAR_MS
from schemas.topics import FAMILIES
from tests.support.builders import EVENTS, T0


@dataclass(frozen=True, slots=True)
class RuleCase:
    family: str
    overrides: dict[str, Any]
    """On top of the family's builder in ``tests.support.builders``."""
    field: str
    code: str
    over_http: bool = True
    """False if the collector stamps or corrects the field, so that no client can get it wrong."""


_Wrong = list[tuple[dict[str, Any], str, str]]

_STAMPED_WRONG: _Wrong = [
    ({"sent_at": 0}, "sent_at", "out_of_range"),
    ({"received_at": 0}, "received_at", "out_of_range"),
    ({"event_time": 0}, "event_time", "out_of_range"),
    ({"event_time": T0 + 60_201}, "event_time", "in_future"),
    ({"country": "nl"}, "country", "bad_format"),
]

_ENVELOPE_WRONG: _Wrong = [
    ({"event_id": "018BCFE5-6800-7000-8000-00000000E001"}, "event_id", "bad_format"),
    ({"client_time": YEAR_2100 + 1}, "client_time", "out_of_range"),
    ({"device_id": "d" * 65}, "device_id", "too_long"),
    ({"app_name": ""}, "app_name", "empty"),
    ({"app_version": "1" * 33}, "app_version", "too_long"),
    ({"account_id": ""}, "account_id", "empty"),
    ({"profile_id": "é" * 33}, "profile_id", "too_long"),
]

_FAMILY_WRONG: dict[str, _Wrong] = {
    "ui": [
        ({"page": ""}, "page", "empty"),
        ({"row": -1}, "row", "out_of_range"),
        ({"position": 10_001}, "position", "out_of_range"),
        ({"title_id": ""}, "title_id", "empty"),
        ({"title_id": None}, "title_id", "required"),
        ({"action": "search", "query": ""}, "query", "empty"),
        ({"action": "search", "query": None}, "query", "required"),
        ({"query": "star"}, "query", "inconsistent"),
        ({"recommendation_id": ""}, "recommendation_id", "empty"),
    ],
    "playback": [
        ({"playback_session_id": "session-1"}, "playback_session_id", "bad_format"),
        ({"session_started_at": 0}, "session_started_at", "out_of_range"),
        ({"session_started_at": YEAR_2100 + 1}, "session_started_at", "out_of_range"),
        ({"playhead_ms": YEAR_2100 + 1, "duration_ms": None}, "playhead_ms", "out_of_range"),
        ({"seq": -1}, "seq", "out_of_range"),
        ({"title_id": ""}, "title_id", "empty"),
        ({"state_since_ms": -1}, "state_since_ms", "out_of_range"),
        ({"playhead_ms": -1}, "playhead_ms", "out_of_range"),
        ({"duration_ms": 0}, "duration_ms", "out_of_range"),
        ({"playhead_ms": 6_060_001}, "playhead_ms", "out_of_range"),
        ({"watched_ms": -1}, "watched_ms", "out_of_range"),
        ({"paused_ms": YEAR_MS + 1}, "paused_ms", "out_of_range"),
        ({"startup_time_ms": -1}, "startup_time_ms", "out_of_range"),
        ({"startup_time_ms": None}, "startup_time_ms", "required"),
        ({"startup_time_ms": None, "watched_ms": 0, "rebuffer_count": 1}, "startup_time_ms", "required"),
        ({"rebuffer_count": -1}, "rebuffer_count", "out_of_range"),
        ({"rebuffer_ms": -1}, "rebuffer_ms", "out_of_range"),
        ({"rebuffer_ms": 1}, "rebuffer_ms", "inconsistent"),
        ({"seek_count": 1_000_001}, "seek_count", "out_of_range"),
        ({"bitrate_kbps": -1}, "bitrate_kbps", "out_of_range"),
        ({"error_code": ""}, "error_code", "empty"),
        ({"error_fatal": True}, "error_code", "required"),
        ({"event_type": "error"}, "error_code", "required"),
        ({"recommendation_id": "r" * 65}, "recommendation_id", "too_long"),
    ],
    "error": [
        ({"code": ""}, "code", "empty"),
        ({"message": "m" * 1025}, "message", "too_long"),
        ({"component": ""}, "component", "empty"),
        ({"playback_session_id": "00000000-0000-0000-0000-000000000000"}, "playback_session_id", "bad_format"),
        ({"stack": "s" * 16_385}, "stack", "too_long"),
    ],
    "diagnostic": [
        ({"name": ""}, "name", "empty"),
        ({"fields": {f"name{n}": "" for n in range(33)}}, "fields", "too_many"),
        ({"fields": {"": "value"}}, "fields", "bad_format"),
        ({"fields": {"name": "v" * 513}}, "fields", "too_long"),
    ],
    "processing": [
        ({"job": ""}, "job", "empty"),
        ({"stage": ""}, "stage", "empty"),
        ({"title_id": ""}, "title_id", "empty"),
        ({"duration_ms": -1}, "duration_ms", "out_of_range"),
    ],
    "performance": [
        ({"metric": ""}, "metric", "empty"),
        ({"unit": ""}, "unit", "empty"),
        ({"playback_session_id": ""}, "playback_session_id", "bad_format"),
    ],
}

DOOR_CASES = [
    RuleCase("playback", overrides, field, "inconsistent")
    for overrides, field in [
        ({"watched_ms": YEAR_MS}, "watched_ms"),
        ({"watched_ms": 360_001}, "watched_ms"),
        ({"paused_ms": 360_001}, "paused_ms"),
        ({"rebuffer_count": 1, "rebuffer_ms": 360_001}, "rebuffer_ms"),
        ({"watched_ms": 200_000, "paused_ms": 160_001}, "watched_ms"),
        ({"watched_ms": 200_000, "rebuffer_count": 1, "rebuffer_ms": 160_001}, "watched_ms"),
        ({"startup_time_ms": 360_001}, "startup_time_ms"),
        ({"seq": 2_201}, "seq"),
        ({"seq": 1_795_000_000}, "seq"),
        ({"rebuffer_count": 2_201}, "rebuffer_count"),
        ({"seek_count": 1_000_000}, "seek_count"),
    ]
]
"""What the collector refuses, and consumers read. The builder's session has lasted a minute."""

RULE_CASES = [
    *(RuleCase(family, *case) for family in FAMILIES for case in (*_ENVELOPE_WRONG, *_FAMILY_WRONG[family])),
    *(RuleCase(family, *case, over_http=False) for family in FAMILIES for case in _STAMPED_WRONG),
    RuleCase("playback", {"start_time": 0}, "start_time", "out_of_range", over_http=False),
    RuleCase("playback", {"start_time": T0 + 60_101}, "start_time", "in_future", over_http=False),
    # JSON has no such number.
    RuleCase("performance", {"value": float("inf")}, "value", "out_of_range", over_http=False),
]

PASSING: list[tuple[str, dict[str, Any]]] = [
    *((family, {}) for family in EVENTS),
    ("ui", {"account_id": None, "profile_id": None, "row": None, "position": None}),
    ("ui", {"row": 0, "position": 10_000, "recommendation_id": "r"}),
    ("ui", {"action": "search", "query": "q" * 256, "title_id": None}),
    ("ui", {"action": "click", "title_id": None}),
    ("playback", {"seq": 2_200, "profile_id": "é" * 32}),
    ("playback", {"seq": 2**31 - 1, "session_started_at": 1}),
    ("playback", {"watched_ms": 359_100, "startup_time_ms": 900}),
    ("playback", {"watched_ms": 100_000, "paused_ms": 258_500}),
    ("playback", {"session_started_at": YEAR_2100}),
    ("playback", {"title_class": "live", "playhead_ms": T0}),
    ("playback", {"session_started_at": 1}),
    ("playback", {"duration_ms": None, "playhead_ms": YEAR_MS}),
    ("playback", {"playhead_ms": 6_060_000}),
    ("playback", {"watched_ms": 0, "startup_time_ms": None, "bitrate_kbps": None}),
    ("playback", {"rebuffer_count": 2, "rebuffer_ms": 0}),
    ("playback", {"rebuffer_count": 2, "rebuffer_ms": 900}),
    ("playback", {"error_fatal": True, "error_code": "E", "event_type": "error"}),
    ("error", {"stack": "s" * 16_384, "playback_session_id": "018bcfe5-6800-7000-8000-000000000001"}),
    ("diagnostic", {"fields": {}}),
    ("diagnostic", {"fields": {"n" * 64: "v" * 512}}),
    ("processing", {"title_id": None, "duration_ms": 0}),
    ("performance", {"value": -1.5e300}),
]

ACCEPTED_BEFORE = [
    *PASSING,
    *((case.family, case.overrides) for case in DOOR_CASES),
    ("ui", {"country": "XX"}),
    ("ui", {"country": "UK"}),
]
"""Under the rules of 0.1.0."""
"""Events exactly at the limits of the rules, and within."""


@dataclass(frozen=True, slots=True)
class JsonCase:
    """What only a client can get wrong: ``change`` is laid over the event's JSON; ``...`` takes a field out."""

    family: str
    change: dict[str, Any]
    field: str
    code: str


JSON_CASES = [
    JsonCase("playback", {"family": "film"}, "family", "unknown_family"),
    JsonCase("playback", {"family": ...}, "family", "unknown_family"),
    JsonCase("playback", {"seq": "3"}, "seq", "wrong_type"),
    JsonCase("playback", {"seq": 1.5}, "seq", "wrong_type"),
    JsonCase("playback", {"seq": None}, "seq", "wrong_type"),
    JsonCase("playback", {"seq": 2**31}, "seq", "out_of_range"),
    JsonCase("playback", {"client_time": 2**64}, "client_time", "out_of_range"),
    JsonCase("playback", {"client_time": -(2**50)}, "client_time", "out_of_range"),
    JsonCase("playback", {"title_id": ...}, "title_id", "missing"),
    JsonCase("playback", {"playhead": 5}, "playhead", "unknown_field"),
    JsonCase("playback", {"received_at": T0}, "received_at", "unknown_field"),
    JsonCase("playback", {"event_time": T0}, "event_time", "unknown_field"),
    JsonCase("playback", {"sent_at": T0}, "sent_at", "unknown_field"),
    JsonCase("playback", {"event_type": "resume"}, "event_type", "unknown_symbol"),
    JsonCase("diagnostic", {"fields": {"retries": 3}}, "fields", "wrong_type"),
    JsonCase("performance", {"value": "812"}, "value", "wrong_type"),
]


@dataclass(frozen=True, slots=True)
class BytesCase:
    """What only bytes in Kafka can get wrong: ``spoil`` turns a framed playback event into the payload."""

    name: str
    spoil: Callable[[bytes], bytes | None]
    code: str


BYTES_CASES = [
    BytesCase("null", lambda _: None, "null_payload"),
    BytesCase("empty", lambda _: b"", "not_framed"),
    BytesCase("json", lambda _: b'{"family": "playback"}', "not_framed"),
    BytesCase("no datum", lambda framed: framed[:5], "malformed"),
    BytesCase("cut short", lambda framed: framed[:-1], "malformed"),
    BytesCase("a byte too many", lambda framed: framed + b"\0", "malformed"),
    BytesCase("not UTF-8", lambda framed: framed.replace(b"living-room", b"living\xffroom"), "malformed"),
    BytesCase("too large", lambda framed: framed + bytes(1024), "too_large"),
]
