"""Names that are twice in one object: a JSON reader takes the last value, so the others would be lost in silence. Pure.

Each name is followed by a colon. A body with no more colons than names repeats none, which costs one count; only texts
that hold a colon need a closer look.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from schemas.errors import InvalidEvent


class _Body(msgspec.Struct):
    events: msgspec.Raw


_body = msgspec.json.Decoder(_Body)
_events = msgspec.json.Decoder(list[msgspec.Raw])


def slices_of(body: bytes) -> list[bytes]:
    """The bytes of each event of a request, in order."""
    return [*map(bytes, _events.decode(_body.decode(body).events))]


def may_repeat(text: bytes, objects: Sequence[object]) -> bool:
    """Whether the JSON text, which was decoded into these objects and what they hold, has to be looked at."""
    return text.count(b":") > sum(len(each) for each in objects if isinstance(each, Mapping))


def repeats_outside(body: bytes, events: Sequence[bytes]) -> bool:
    """Whether a request repeats ``sent_at`` or ``events``: it has no other names, and no text outside of its events."""
    return body.count(b":") - sum(each.count(b":") for each in events) > 2


def refuse_repeats(event: bytes) -> None:
    """Raises InvalidEvent if an object of the event, which is JSON, has a name twice."""
    try:
        _exact.decode(event.decode("utf-8", "surrogateescape"))
    except (ValueError, RecursionError):
        return  # nested or numbered beyond what Python reads: no rule accepts it


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        name = next(each for each in names if names.count(each) > 1)
        raise InvalidEvent("repeated_field", f"{name} is there twice in one object; send it once.", name)
    return found


_exact = json.JSONDecoder(object_pairs_hook=_unique)
