"""A run of the past as plain values, for tests that compare what was sent with what was kept."""

from dataclasses import dataclass
from itertools import islice

from producers.ports import Message
from producers.simulator.audience import Member
from producers.simulator.corruption import SchemaIds
from producers.simulator.network import Faults, arrivals
from producers.simulator.past import Sending, sendings
from producers.simulator.synthetic import members as synthetic_members
from producers.simulator.visits import Span, visits
from schemas.events import Event

DAY_MS = 24 * 60 * 60 * 1000
USUAL = Faults()
DEFAULT_NOW = 1_790_000_000_000
_EVENTS_PER_MEMBER_AND_DAY = 40
"""Fewer than come, so that there are always enough."""


@dataclass(frozen=True, slots=True)
class Sent:
    records: list[Message]
    """Everything, valid or not, in order of arrival."""
    events: list[Event]
    """The valid ones as Kafka holds them, repeats (same event id, later times) included."""
    corrupt: list[Sending]
    """The others; `field` is the one at fault, None for mangled bytes."""


def generate(seed: int, ids: SchemaIds, events: int = 20_000, faults: Faults = USUAL, now: int = DEFAULT_NOW) -> Sent:
    """The first `events` records (or a few less) that arrive from an invented audience in days before `now`."""
    audience: list[Member] = synthetic_members(60, seed)
    span = Span(now - _days(events, len(audience)) * DAY_MS, now)
    deliveries = arrivals(visits(audience, span, seed), faults, span, seed)
    sent = list(islice(sendings(deliveries, ids), events))
    return Sent(
        records=[one.message for one in sent],
        events=[one.event for one in sent if not one.corrupt],
        corrupt=[one for one in sent if one.corrupt],
    )


def _days(events: int, members: int) -> int:
    return 2 + events // (members * _EVENTS_PER_MEMBER_AND_DAY)
