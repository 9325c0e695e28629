"""Finds the events of a body that is not JSON because one of its events is not.

A text cut inside an emoji, a byte that is not UTF-8, a bracket too many or too few: such an event costs itself, and
every other event of its request is read as usual. Pure.
"""

import json
import re
from dataclasses import dataclass
from itertools import chain
from typing import Any

import msgspec

from schemas.errors import InvalidEvent

_SENT_AT = rb'"sent_at"\s*:\s*(?P<sent_at>\d{1,20}(?:\.0+)?)\s*'
_HEAD = re.compile(rb"\s*\{\s*(?:" + _SENT_AT + rb',\s*)?"events"\s*:\s*\[')
_TAIL = re.compile(rb"\]\s*(?:,\s*" + _SENT_AT + rb")?\}\s*")
_BETWEEN = re.compile(rb',(?=\s*\{\s*"\w+"\s*:)')
"""Where an event can begin. Within a text the quotes would be escaped, and no event holds an object in an array."""
_json = msgspec.json.Decoder()
_lenient = json.JSONDecoder()


@dataclass(frozen=True, slots=True)
class Salvaged:
    sent_at: int
    events: list[bytes]
    """The bytes of each, in order, good or bad."""


def salvaged(body: bytes) -> Salvaged | None:
    """None if the body is not a request with whole ends: then nobody knows which events are missing."""
    head, last = _HEAD.match(body), body.rfind(b"]")
    tail = _TAIL.fullmatch(body, max(last, 0))
    if head is None or tail is None or last < head.end():
        return None
    stamps = [found["sent_at"] for found in (head, tail) if found["sent_at"] is not None]
    if len(stamps) != 1:
        return None
    parts = _BETWEEN.split(body[head.end() : last])
    return Salvaged(int(float(stamps[0])), [*chain.from_iterable(map(_elements, parts))])


def decoded(event: bytes) -> Any:
    """One event's JSON value, or the InvalidEvent that it is. Surrogates and bytes that are not UTF-8 stay in its texts
    as lone surrogates, so that a rule can name the field."""
    try:
        return _json.decode(event)
    except (ValueError, RecursionError) as problem:
        error = InvalidEvent("malformed", f"The event is not JSON: {problem}.")
    try:
        return _lenient.decode(_text(event))
    except (ValueError, RecursionError):
        return error


def _elements(part: bytes) -> list[bytes]:
    """Mostly one event. One that is followed by something else than an object stays apart from it."""
    text = _text(part).strip()
    try:
        _, end = _lenient.raw_decode(text)
    except (ValueError, RecursionError):
        return [part.strip()]
    after = text[end:].lstrip()
    if not after.startswith(","):
        return [part.strip()]
    return [_bytes(text[:end]), _bytes(after[1:].strip())]


def _text(some: bytes) -> str:
    return some.decode("utf-8", "surrogateescape")


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")
