"""Turns a client's JSON object into an event: validated, stamped, its time corrected.

The common case is one conversion and one pass over the rules. An event that fails is read again, field by field: whole
numbers written as ``658000.0`` become integers, and every violation is collected.
"""

from types import SimpleNamespace
from typing import Any, get_args

import msgspec

from schemas import avro, client_clock
from schemas.countries import country_of
from schemas.errors import InvalidEvent
from schemas.events import EVENT_TYPES, Event, Playback
from schemas.rule_types import not_unicode, shown
from schemas.rules import check_at_door, violations_at_door

STAMPED = ("sent_at", "received_at", "event_time", "start_time")
"""Envelope fields that an event must not set: the request carries ``sent_at`` once, the collector sets the others."""
_FIELDS = {family: msgspec.structs.fields(event_type) for family, event_type in EVENT_TYPES.items()}
_MOST_EXACT = 2**53
"""Beyond it a float no longer names one integer."""


def event_from_client(raw: dict[str, Any], sent_at: int, received_at: int) -> Event:
    """The event, or InvalidEvent with the field at fault and all ``others``. ``raw`` is one decoded JSON object.

    Its time and its session's start are corrected by the clock offset at receipt: see ``client_clock``. A country that
    is unknown or missing becomes ``ZZ``.
    """
    family = raw.get("family")
    if not isinstance(family, str) or family not in EVENT_TYPES:
        reason = f"family is {shown(family)}; it must be one of {', '.join(EVENT_TYPES)}."
        raise InvalidEvent("unknown_family", reason, "family")
    given = {**raw, "sent_at": sent_at, "received_at": received_at, "event_time": received_at}
    country = raw.get("country")
    if country is None or isinstance(country, str):
        given["country"] = country_of(country)
    try:
        event: Event = msgspec.convert(given, EVENT_TYPES[family])
        if raw.keys().isdisjoint(STAMPED):
            event = _corrected(event)
            check_at_door(event)
            return event
    except (msgspec.ValidationError, UnicodeError, InvalidEvent):
        pass
    return _read_by_field(family, raw, given)


def whole(value: object) -> object:
    """A float that is exactly an integer becomes it: Swift, Kotlin and Gson write 658000 as 658000.0 or 6.58E5."""
    if isinstance(value, float) and value.is_integer() and abs(value) <= _MOST_EXACT:
        return int(value)
    return value


def _read_by_field(family: str, raw: dict[str, Any], given: dict[str, Any]) -> Event:
    """The event if only its numbers' notation differed. Otherwise raises InvalidEvent with every violation."""
    names = {field.name for field in _FIELDS[family]}
    problems = [
        InvalidEvent("unknown_field", f"{name} is not for the client to set in an event; leave it out.", name)
        for name in STAMPED
        if name in raw
    ]
    problems += [
        InvalidEvent("unknown_field", f"{name} is not a field of a {family} event; leave it out.", name)
        for name in raw
        if name not in names and name != "family"
    ]
    values: dict[str, Any] = {}
    for field in _FIELDS[family]:
        if field.name in given:
            try:
                values[field.name] = _value(given[field.name], field.type)
            except msgspec.ValidationError as error:
                problems.append(_wrong_type(family, field.name, str(error)))
            except UnicodeError:  # an enum's value, which msgspec cannot quote
                problems.append(not_unicode(field.name, given[field.name]))
        elif field.required:
            reason = f"{field.name} is missing; a {family} event must have it."
            problems.append(InvalidEvent("missing", reason, field.name))
        else:
            values[field.name] = field.default if field.default is not msgspec.NODEFAULT else field.default_factory()
    for name in client_clock.TIMES:
        try:
            client_clock.check_milliseconds(name, values.get(name), given["sent_at"])
        except InvalidEvent as problem:
            problems.append(problem)
    problems += violations_at_door(family, SimpleNamespace(**values))
    if problems:
        first, *others = problems
        raise InvalidEvent(first.code, first.reason, first.field, others)
    return _corrected(EVENT_TYPES[family](**values))


def _corrected(event: Event) -> Event:
    """With the times that the collector sets. Raises InvalidEvent for times in seconds."""
    for name in client_clock.TIMES:
        client_clock.check_milliseconds(name, getattr(event, name, None), event.sent_at)
    event_time = client_clock.event_time(event.client_time, event.sent_at, event.received_at)
    if not isinstance(event, Playback):
        return msgspec.structs.replace(event, event_time=event_time)
    return msgspec.structs.replace(event, event_time=event_time, start_time=client_clock.start(event, event_time))


def _value(given: object, hint: Any) -> Any:
    """Raises msgspec.ValidationError."""
    return msgspec.convert(whole(given) if int in (hint, *get_args(hint)) else given, hint)


def _wrong_type(family: str, field: str, message: str) -> InvalidEvent:
    """msgspec reports the problem only in its message."""
    what = message.partition(" - at ")[0]
    if what.startswith("Invalid enum value"):
        symbols = next(each["type"]["symbols"] for each in avro.schema(family)["fields"] if each["name"] == field)
        given = what.removeprefix("Invalid enum value ")
        given = given if len(given) <= 62 else f"{given[:62]}…"
        return InvalidEvent("unknown_symbol", f"{field} is {given}; it must be one of {', '.join(symbols)}.", field)
    return InvalidEvent("wrong_type", f"{field} has the wrong type: {what[:1].lower()}{what[1:]}.", field)
