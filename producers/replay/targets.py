"""Where a dead letter goes again: what was found in Kafka to its topic, what was refused over HTTP to the collector."""

from collections.abc import Callable, Sequence

import msgspec

from producers.ports import Clock
from schemas import codec, events
from schemas.avro import Schema
from schemas.errors import InvalidEvent
from schemas.events import DeadLetter, Event
from schemas.framing import unframe
from schemas.topics import TOPICS

Write = Callable[[Sequence[tuple[str, bytes, bytes]]], None]
"""Topic, key, value: returns when Kafka has all of them, raises TransientError otherwise."""
Post = Callable[[bytes, bool], None]
"""A request body for the collector, and whether it is a dry run. Raises InvalidEvent when its event is not accepted,
TransientError when the collector can't tell now."""


class TopicTarget:
    """The very bytes again, under the key of the event that they hold."""

    def __init__(self, resolve: Callable[[int], Schema], write: Write) -> None:
        self._resolve = resolve
        self._write = write

    def check(self, letter: DeadLetter) -> None:
        """Raises InvalidEvent if the letter would die again."""
        self._event(letter)

    def send(self, letter: DeadLetter) -> None:
        key = letter.key or events.key(self._event(letter)).encode()
        self._write([(letter.topic or "", key, letter.value or b"")])

    def _event(self, letter: DeadLetter) -> Event:
        topic = TOPICS.get(letter.topic or "")
        if topic is None or topic.record not in events.EVENT_TYPES or letter.value is None:
            raise InvalidEvent("not_an_event", "Only an event can be replayed.")
        schema_id, datum = unframe(letter.value)
        event = codec.decode(topic.record, datum, self._resolve(schema_id))
        assert isinstance(event, Event)
        return event


class _Body(msgspec.Struct):
    sent_at: int
    events: list[msgspec.Raw]


class CollectorTarget:
    """The event in a request of its own, sent by its client's clock as it stands now."""

    def __init__(self, post: Post, clock: Clock) -> None:
        self._post = post
        self._clock = clock

    def check(self, letter: DeadLetter) -> None:
        """Raises InvalidEvent if the collector would refuse it again."""
        self._post(self._body(letter), True)

    def send(self, letter: DeadLetter) -> None:
        self._post(self._body(letter), False)

    def _body(self, letter: DeadLetter) -> bytes:
        """Moves ``sent_at`` on by the time since the refusal, so that the event keeps its corrected time."""
        sent = letter.value or b""
        try:
            body = msgspec.json.decode(sent, type=_Body)
        except (ValueError, RecursionError):
            return sent
        body.sent_at += self._clock() - letter.failed_at
        return msgspec.json.encode(body)
