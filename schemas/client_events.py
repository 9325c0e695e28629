"""Turns a client's JSON object into an event: validated, stamped, its time corrected."""

import re
from typing import Any

import msgspec

from schemas import avro
from schemas.errors import InvalidEvent
from schemas.events import EVENT_TYPES, Event
from schemas.rules import check

STAMPED = ("sent_at", "received_at", "event_time")
"""Envelope fields that an event must not set: the request carries ``sent_at`` once, the collector sets the others."""

_AT = re.compile(r" - at (?:`key` in )?`\$\.(?P<field>\w+)")
_QUOTED = re.compile(r"field `(?P<field>[^`]*)`")


def event_from_client(raw: dict[str, Any], sent_at: int, received_at: int) -> Event:
    """The event, or InvalidEvent with the field at fault. ``raw`` is one decoded JSON object.

    Its time is corrected by the clock offset at receipt, never to after ``received_at``. If the client's clock was
    changed while the event waited, the result is off by that change; nothing is ordered by it.
    """
    family = raw.get("family")
    if not isinstance(family, str) or family not in EVENT_TYPES:
        families = ", ".join(EVENT_TYPES)
        raise InvalidEvent("unknown_family", f"family is {family!r}; it must be one of {families}.", "family")
    for name in STAMPED:
        if name in raw:
            raise InvalidEvent("unknown_field", f"{name} is not for the client to set in an event; leave it out.", name)
    stamps = {"sent_at": sent_at, "received_at": received_at, "event_time": received_at}
    try:
        event: Event = msgspec.convert({**raw, **stamps}, EVENT_TYPES[family])
    except msgspec.ValidationError as error:
        raise _to_invalid_event(str(error), family) from error
    corrected = min(received_at - (sent_at - event.client_time), received_at)
    if corrected < 1:
        reason = f"client_time is {event.client_time}, too far before sent_at ({sent_at}): both must be of one clock."
        raise InvalidEvent("out_of_range", reason, "client_time")
    event = msgspec.structs.replace(event, event_time=corrected)
    check(event)
    return event


def _to_invalid_event(message: str, family: str) -> InvalidEvent:
    """msgspec reports the field and the problem only in its message."""
    if message.startswith("Object missing required field") and (named := _QUOTED.search(message)):
        field = named["field"]
        return InvalidEvent("missing", f"{field} is missing; a {family} event must have it.", field)
    if message.startswith("Object contains unknown field") and (named := _QUOTED.search(message)):
        field = named["field"]
        return InvalidEvent("unknown_field", f"{field} is not a field of a {family} event; leave it out.", field)
    at = _AT.search(message)
    field = at["field"] if at else None
    what = message[: at.start()] if at else message
    if field and what.startswith("Invalid enum value"):
        given, known = what.removeprefix("Invalid enum value "), ", ".join(_symbols(family, field))
        return InvalidEvent("unknown_symbol", f"{field} is {given}; it must be one of {known}.", field)
    return InvalidEvent("wrong_type", f"{field} has the wrong type: {what[:1].lower()}{what[1:]}.", field)


def _symbols(family: str, field: str) -> list[str]:
    types = {each["name"]: each["type"] for each in avro.schema(family)["fields"]}
    symbols: list[str] = types[field]["symbols"]
    return symbols
