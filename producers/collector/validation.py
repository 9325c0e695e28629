"""Validates a request body: which events are valid, and what is wrong with the others. Pure."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from producers.collector.repeated_names import may_repeat, refuse_repeats, repeats_outside, slices_of
from producers.collector.responses import RequestError, error_reply
from producers.collector.salvage import decoded, salvaged
from producers.collector.sender import NOT_YOURS, Sender
from schemas import codec, dead_letter
from schemas.client_clock import check_milliseconds
from schemas.client_events import event_from_client, whole
from schemas.countries import UNKNOWN_COUNTRY
from schemas.dead_letter import Origin
from schemas.errors import InvalidEvent, bounded
from schemas.events import DAY_MS, DeadLetter, Event
from schemas.rule_types import shown
from schemas.topics import EVENT_TOPICS

MAX_EVENTS = 500
PIECE = 25
"""Events that are validated in a row: about a millisecond. Then other requests have their turn."""
_MOST_ID = 64
"""Characters of an event id that a verdict repeats."""
_SHAPE = 'The body must be an object {"sent_at": <ms since the epoch>, "events": [{"family": …}, …]}'
_json = msgspec.json.Decoder()


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
    profile_id: str | None
    error: InvalidEvent


@dataclass(frozen=True, slots=True)
class ValidatedRequest:
    sent_at: int
    accepted: dict[int, Accepted]
    """By index in the request."""
    rejected: dict[int, Rejected]
    warnings: dict[int, InvalidEvent]
    """What was understood, but should be sent differently."""
    slices: Sequence[bytes] | None = None
    """Each event's bytes, if they had to be looked at."""


async def validate(body: bytes, received_at: int, sender: Sender) -> ValidatedRequest:
    """Raises InvalidEvent if the body cannot be read at all, RequestError if it holds too many events."""
    sent_at, events, slices = _open(body, received_at)
    request = ValidatedRequest(sent_at, {}, {}, {}, slices)
    for index, raw in enumerate(events):
        if index and index % PIECE == 0:
            await asyncio.sleep(0)
        try:
            if isinstance(raw, InvalidEvent):
                raise raw
            if not isinstance(raw, dict):
                raise InvalidEvent("wrong_type", f"An event must be an object, not {_kind(raw)}.")
            sender.check(raw)
            if slices is not None and may_repeat(slices[index], [raw]):
                refuse_repeats(slices[index])
            sender.stamp(raw)
            event = event_from_client(raw, sent_at, received_at)
            request.accepted[index] = Accepted(event, codec.encode(event))
            if event.country == UNKNOWN_COUNTRY and raw.get("country") != UNKNOWN_COUNTRY:
                request.warnings[index] = _unknown_country(raw.get("country"))
        except InvalidEvent as problem:
            request.rejected[index] = _rejected(index, raw, problem)
    return request


def dead_letters(validated: ValidatedRequest, body: bytes, sender: Sender, now: int) -> dict[int, DeadLetter]:
    """By index, for each rejected event that is the sender's, with the exact bytes that the client sent."""
    kept = {index: each for index, each in validated.rejected.items() if each.error.code != NOT_YOURS}
    if not kept:
        return {}
    sent = slices_of(body) if validated.slices is None else validated.slices
    return {
        index: dead_letter.of_refused(
            each.error,
            sent[index],
            topic_of(each.family),
            now,
            validated.sent_at,
            origin(sender, each.profile_id),
        )
        for index, each in kept.items()
    }


def origin(sender: Sender, profile_id: str | None = None) -> Origin | None:
    """What a replay must hold to. None: the sender may send for everybody."""
    return None if sender.kind == "service" else Origin(sender.kind, sender.account_id, profile_id)


def topic_of(family: str | None) -> str | None:
    return EVENT_TOPICS[family].name if family else None


def _open(body: bytes, received_at: int) -> tuple[int, Sequence[Any], Sequence[bytes] | None]:
    """``sent_at``, the events, and their bytes if these have to be looked at: the body may have a name twice, or is not
    JSON as a whole, and then an event may be an error."""
    try:
        document = _json.decode(body)
    except (ValueError, RecursionError) as problem:
        if (found := salvaged(body)) is None:
            raise InvalidEvent("malformed", f"The body is not JSON: {problem}.") from problem
        document = {"sent_at": found.sent_at, "events": [*map(decoded, found.events)]}
        return *_checked(document, received_at), found.events
    sent_at, events = _checked(document, received_at)
    if not may_repeat(body, [document, *events]):
        return sent_at, events, None
    slices = slices_of(body)
    if repeats_outside(body, slices):
        raise InvalidEvent("repeated_field", f"{_SHAPE}: sent_at or events is there twice.")
    return sent_at, events, slices


def _checked(document: Any, received_at: int) -> tuple[int, list[Any]]:
    if not isinstance(document, dict):
        raise InvalidEvent("wrong_type", f"{_SHAPE}, not {_kind(document)}.")
    for name in document:
        if name not in ("sent_at", "events"):
            raise InvalidEvent("unknown_field", f"{_SHAPE}: {shown(name)} is neither.", name)
    for name, kind in (("sent_at", int), ("events", list)):
        if name not in document:
            raise InvalidEvent("missing", f"{_SHAPE}: {name} is missing.", name)
        if type(whole(document[name])) is not kind:
            raise InvalidEvent("wrong_type", f"{_SHAPE}: {name} is {_kind(document[name])}.", name)
    sent_at, events = int(document["sent_at"]), document["events"]
    if not 0 <= sent_at < 2**63:
        raise InvalidEvent("out_of_range", "sent_at must be milliseconds since 1970 by the client's clock.", "sent_at")
    check_milliseconds("sent_at", sent_at, received_at, within=DAY_MS)
    if len(events) > MAX_EVENTS:
        message = f"{len(events)} events in one request: send at most {MAX_EVENTS}."
        raise RequestError(error_reply(413, "too_many_events", message, limit_events=MAX_EVENTS))
    return sent_at, events


def _unknown_country(given: str | None) -> InvalidEvent:
    what = "is missing" if given is None else f"is {shown(given)}, which is no ISO 3166-1 alpha-2 code"
    return InvalidEvent("unknown_country", f"country {what}; it was stored as {UNKNOWN_COUNTRY}.", "country")


def _rejected(index: int, raw: object, problem: InvalidEvent) -> Rejected:
    fields = raw if isinstance(raw, dict) else {}
    event_id, family, profile_id = fields.get("event_id"), fields.get("family"), fields.get("profile_id")
    return Rejected(
        index,
        bounded(event_id, _MOST_ID) if isinstance(event_id, str) else None,
        family if isinstance(family, str) and family in EVENT_TOPICS else None,
        profile_id if isinstance(profile_id, str) else None,
        problem,
    )


def _kind(value: object) -> str:
    names = {dict: "an object", list: "an array", str: "text", bool: "a boolean", int: "a number", float: "a number"}
    return names.get(type(value), "null")
