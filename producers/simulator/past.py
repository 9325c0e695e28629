"""Past mode: weeks of viewing, written directly into Kafka in the order of simulated arrival.

It bypasses the collector, which would stamp every event with the present.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import NamedTuple, Protocol

from producers.client.sender import Outcome
from producers.ports import Message
from producers.simulator.client_log import ClientLog, Line
from producers.simulator.corruption import SchemaIds, corrupt_payload
from producers.simulator.network import Delivery
from schemas.codec import encode
from schemas.events import Event, family, key
from schemas.framing import frame
from schemas.topics import EVENT_TOPICS

BATCH = 10_000


class Bulk(Protocol):
    def write(self, messages: Sequence[Message]) -> None:
        """Returns when Kafka has acknowledged every one; TransientError otherwise."""
        ...


class Sending(NamedTuple):
    message: Message
    event: Event
    """The client's event, even if what was sent is corrupt."""
    corrupt: bool
    field: str | None


def sendings(deliveries: Iterable[Delivery], ids: SchemaIds) -> Iterator[Sending]:
    """The Kafka records of the deliveries. ``ids``: registry ids by family."""
    topics = {name: topic.name for name, topic in EVENT_TOPICS.items()}
    for delivery in deliveries:
        event, field = delivery.event, None
        name = family(event)
        if delivery.corruption is None:
            payload = frame(ids[name], encode(event))
        else:
            payload, field = corrupt_payload(event, delivery.corruption, ids)
        message = Message(topics[name], key(event).encode(), payload)
        yield Sending(message, event, delivery.corruption is not None, field)


def play(sent: Iterable[Sending], bulk: Bulk, log: ClientLog, progress: Callable[[Sequence[Sending]], None]) -> None:
    """Write all in batches. The log records ``sent`` before each batch and the outcome after it."""
    source = iter(sent)
    while batch := list(islice(source, BATCH)):
        log.write(Line(one.event.event_id, family(one.event), "sent") for one in batch)
        bulk.write([one.message for one in batch])
        log.write(_settled(one) for one in batch)
        progress(batch)


def _settled(one: Sending) -> Line:
    outcome: Outcome = "refused" if one.corrupt else "accepted"
    return Line(one.event.event_id, family(one.event), outcome, one.field)
