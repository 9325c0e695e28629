"""Where a dead letter is sent: to its topic if it came from Kafka, to the collector if it was refused over HTTP."""

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
    """Sends the original bytes, under the key of the event in them."""

    def __init__(self, resolve: Callable[[int], Schema], write: Write) -> None:
        self._resolve = resolve
        self._write = write

    def check(self, dead_letter: DeadLetter) -> None:
        """Raises InvalidEvent if the dead letter is still invalid."""
        self._event(dead_letter)

    def send(self, dead_letter: DeadLetter) -> None:
        key = dead_letter.key or events.key(self._event(dead_letter)).encode()
        self._write([(dead_letter.topic or "", key, dead_letter.value or b"")])

    def _event(self, dead_letter: DeadLetter) -> Event:
        topic = TOPICS.get(dead_letter.topic or "")
        if topic is None or topic.record not in events.EVENT_TYPES or dead_letter.value is None:
            raise InvalidEvent("not_an_event", "Only an event can be replayed.")
        schema_id, datum = unframe(dead_letter.value)
        event = codec.decode(topic.record, datum, self._resolve(schema_id))
        assert isinstance(event, Event)
        return event


class _Body(msgspec.Struct, forbid_unknown_fields=True):
    sent_at: int
    events: list[msgspec.Raw]


class CollectorTarget:
    """Sends the event in a separate request, with ``sent_at`` moved to now by the client's clock."""

    def __init__(self, post: Post, clock: Clock) -> None:
        self._post = post
        self._clock = clock

    def check(self, dead_letter: DeadLetter) -> None:
        """Raises InvalidEvent if the collector would refuse it again."""
        self._post(self._body(dead_letter), True)

    def send(self, dead_letter: DeadLetter) -> None:
        self._post(self._body(dead_letter), False)

    def _body(self, dead_letter: DeadLetter) -> bytes:
        """Advances ``sent_at`` by the time since the refusal, so that the event keeps its corrected time.

        A body that is no request stays as it is: the collector says what is wrong with it.
        """
        sent = dead_letter.value or b""
        try:
            body = msgspec.json.decode(sent, type=_Body)
        except (ValueError, RecursionError):
            return sent
        body.sent_at += self._clock() - dead_letter.failed_at
        moved = msgspec.json.encode(body)
        return moved if moved.count(b":") == sent.count(b":") else sent  # a name that is there twice would be gone
