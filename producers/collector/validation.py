"""Validates a request body: which events are valid, and what is wrong with the others. Pure."""

from dataclasses import dataclass
from typing import Any

import msgspec

from producers.collector.responses import RequestError, error_reply
from schemas import codec, dead_letter
from schemas.client_events import event_from_client
from schemas.errors import InvalidEvent
from schemas.events import DeadLetter, Event
from schemas.topics import EVENT_TOPICS

MAX_EVENTS = 500
_SHAPE = 'The body must be an object {"sent_at": <ms since the epoch>, "events": [{"family": …}, …]}'
_json = msgspec.json.Decoder()


class _Slices(msgspec.Struct):
    events: list[msgspec.Raw]


_slices = msgspec.json.Decoder(_Slices)


@dataclass(frozen=True, slots=True)
class Accepted:
    event: Event
    datum: bytes


@dataclass(frozen=True, slots=True)
class Rejected:
    index: int
    event_id: str | None
    family: str | None
    """None when it is not one of our families."""
    error: InvalidEvent


@dataclass(frozen=True, slots=True)
class ValidatedRequest:
    sent_at: int
    accepted: dict[int, Accepted]
    """By index in the request."""
    rejected: dict[int, Rejected]


def validate(body: bytes, received_at: int) -> ValidatedRequest:
    """Raises InvalidEvent if the body cannot be read at all, RequestError if it holds too many events."""
    sent_at, events = _open(body)
    accepted: dict[int, Accepted] = {}
    rejected: dict[int, Rejected] = {}
    for index, raw in enumerate(events):
        try:
            if not isinstance(raw, dict):
                raise InvalidEvent("wrong_type", f"An event must be an object, not {_kind(raw)}.")
            event = event_from_client(raw, sent_at, received_at)
            accepted[index] = Accepted(event, codec.encode(event))
        except InvalidEvent as problem:
            rejected[index] = _rejected(index, raw, problem)
    return ValidatedRequest(sent_at, accepted, rejected)


def dead_letters(validated: ValidatedRequest, body: bytes, now: int) -> list[DeadLetter]:
    """One per rejected event, in order, with the exact bytes that the client sent."""
    if not validated.rejected:
        return []
    sent = _slices.decode(body).events
    return [
        dead_letter.of_refused(each.error, bytes(sent[index]), topic_of(each.family), now, validated.sent_at)
        for index, each in validated.rejected.items()
    ]


def topic_of(family: str | None) -> str | None:
    return EVENT_TOPICS[family].name if family else None


def _open(body: bytes) -> tuple[int, list[Any]]:
    try:
        document = _json.decode(body)
    except (ValueError, RecursionError) as problem:
        raise InvalidEvent("malformed", f"The body is not JSON: {problem}.") from problem
    if not isinstance(document, dict):
        raise InvalidEvent("wrong_type", f"{_SHAPE}, not {_kind(document)}.")
    for name in document:
        if name not in ("sent_at", "events"):
            raise InvalidEvent("unknown_field", f"{_SHAPE}: {name!r} is neither.", name)
    for name, kind in (("sent_at", int), ("events", list)):
        if name not in document:
            raise InvalidEvent("missing", f"{_SHAPE}: {name} is missing.", name)
        if type(document[name]) is not kind:
            raise InvalidEvent("wrong_type", f"{_SHAPE}: {name} is {_kind(document[name])}.", name)
    sent_at, events = document["sent_at"], document["events"]
    if not 0 <= sent_at < 2**63:
        raise InvalidEvent("out_of_range", "sent_at must be milliseconds since 1970 by the client's clock.", "sent_at")
    if len(events) > MAX_EVENTS:
        message = f"{len(events)} events in one request: send at most {MAX_EVENTS}."
        raise RequestError(error_reply(413, "too_many_events", message, limit_events=MAX_EVENTS))
    return sent_at, events


def _rejected(index: int, raw: object, problem: InvalidEvent) -> Rejected:
    fields = raw if isinstance(raw, dict) else {}
    event_id, family = fields.get("event_id"), fields.get("family")
    return Rejected(
        index,
        event_id if isinstance(event_id, str) else None,
        family if isinstance(family, str) and family in EVENT_TOPICS else None,
        problem,
    )


def _kind(value: object) -> str:
    names = {dict: "an object", list: "an array", str: "text", bool: "a boolean", int: "a number", float: "a number"}
    return names.get(type(value), "null")
