"""How bad clients and networks corrupt an event: each way of breaking the contract, by name.

A number chooses the way, so the same simulation corrupts the same events in the same way.
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import msgspec

from schemas.codec import encode
from schemas.events import Event, family
from schemas.framing import frame

UNKNOWN_SCHEMA = 2**31 - 1
_DAY_MS = 24 * 60 * 60 * 1000


class Broken(NamedTuple):
    """Changes that break a rule of the contract, with the error that the contract gives."""

    changes: dict[str, Any]
    field: str
    code: str


def _one(field: str, value: Any, code: str) -> Broken:
    return Broken({field: value}, field, code)


_ANY = (
    _one("event_id", "not-a-uuid", "bad_format"),
    _one("client_time", 0, "out_of_range"),
    _one("app_name", "", "empty"),
    _one("device_id", "", "empty"),
    _one("app_version", "9" * 33, "too_long"),
)
BROKEN: dict[str, tuple[Broken, ...]] = {
    "ui": (
        *_ANY,
        _one("row", -1, "out_of_range"),
        Broken({"action": "impression", "title_id": None}, "title_id", "required"),
        Broken({"action": "search", "query": None}, "query", "required"),
        Broken({"action": "view", "query": "matrix"}, "query", "inconsistent"),
    ),
    "playback": (
        *_ANY,
        _one("playback_session_id", "A0B1C2D3-0000-7000-8000-000000000000", "bad_format"),
        _one("session_started_at", 0, "out_of_range"),
        _one("seq", -1, "out_of_range"),
        _one("title_id", "x" * 65, "too_long"),
        _one("watched_ms", -1, "out_of_range"),
        _one("playhead_ms", 300 * _DAY_MS, "out_of_range"),
        _one("bitrate_kbps", -1, "out_of_range"),
        Broken({"watched_ms": 1, "startup_time_ms": None}, "startup_time_ms", "required"),
        Broken({"rebuffer_count": 0, "rebuffer_ms": 5}, "rebuffer_ms", "inconsistent"),
        Broken({"error_fatal": True, "error_code": None}, "error_code", "required"),
    ),
    "error": (*_ANY, _one("code", "", "empty"), _one("message", "x" * 1025, "too_long")),
    "diagnostic": (
        *_ANY,
        _one("name", "", "empty"),
        _one("fields", {"": "x"}, "bad_format"),
        _one("fields", {f"name{n}": "x" for n in range(33)}, "too_many"),
    ),
    "processing": (*_ANY, _one("duration_ms", -1, "out_of_range"), _one("stage", "", "empty")),
    "performance": (*_ANY, _one("value", float("inf"), "out_of_range"), _one("unit", "x" * 33, "too_long")),
}

SchemaIds = Mapping[str, int]
"""Registry ids by family."""


def _not_framed(event: Event, _: SchemaIds) -> bytes:
    return b"\x01" + encode(event)


def _empty(_: Event, __: SchemaIds) -> bytes:
    return b""


def _unknown_schema(event: Event, _: SchemaIds) -> bytes:
    return frame(UNKNOWN_SCHEMA, encode(event))


def _wrong_record(event: Event, ids: SchemaIds) -> bytes:
    return frame(ids["processing" if family(event) == "performance" else "performance"], encode(event))


def _truncated(event: Event, ids: SchemaIds) -> bytes:
    return frame(ids[family(event)], encode(event)[:-1])


def _trailing(event: Event, ids: SchemaIds) -> bytes:
    return frame(ids[family(event)], encode(event) + b"\x00")


def _not_utf8(event: Event, ids: SchemaIds) -> bytes:
    name = event.app_version.encode()
    return frame(ids[family(event)], encode(event).replace(name, b"\xff" * len(name), 1))


MANGLED: tuple[Callable[[Event, SchemaIds], bytes], ...] = (
    _not_framed,
    _empty,
    _unknown_schema,
    _wrong_record,
    _truncated,
    _trailing,
    _not_utf8,
)


def corrupt_payload(event: Event, number: int, ids: SchemaIds) -> tuple[bytes, str | None]:
    """Invalid bytes as they could be in Kafka, and the field at fault if a rule is broken."""
    rules = BROKEN[family(event)]
    choice = number % (len(MANGLED) + len(rules))
    if choice < len(MANGLED):
        return MANGLED[choice](event, ids), None
    broken = rules[choice - len(MANGLED)]
    return frame(ids[family(event)], encode(msgspec.structs.replace(event, **broken.changes))), broken.field


def corrupt_json(raw: dict[str, Any], number: int) -> tuple[dict[str, Any], str]:
    """An invalid event as a bad client would post it, and the field at fault."""
    rules = BROKEN[raw["family"]]
    choice = number % (len(rules) + 3)
    if choice < len(rules):
        return raw | rules[choice].changes, rules[choice].field
    if choice == len(rules):
        return {key: value for key, value in raw.items() if key != "device_type"}, "device_type"
    if choice == len(rules) + 1:
        return raw | {"app_name": 7}, "app_name"
    return raw | {"colour": "red"}, "colour"
