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
            return _only_of_services(sent, dead_letter)
        body.sent_at += self._clock() - dead_letter.failed_at
        moved = msgspec.json.encode(body)
        if moved.count(b":") != sent.count(b":"):  # a name that is there twice would be gone
            return _only_of_services(sent, dead_letter)
        if dead_letter.sender is None:
            return moved
        body.events = [_as_its_sender(event, dead_letter) for event in body.events]
        return msgspec.json.encode(body)


def _only_of_services(sent: bytes, dead_letter: DeadLetter) -> bytes:
    """What is no request, as it is. Of a sender who may not send for everybody, nobody knows whose events it holds."""
    if dead_letter.sender is not None:
        raise InvalidEvent("malformed", "The body is no request, so its events have no known sender.")
    return sent


def _as_its_sender(raw: msgspec.Raw, dead_letter: DeadLetter) -> msgspec.Raw:
    """The event with its sender's account. Raises InvalidEvent if the sender could not have sent it: our key could."""
    try:
        event = msgspec.json.decode(raw)
    except (ValueError, RecursionError) as problem:
        raise InvalidEvent("malformed", f"The event is not JSON: {problem}.") from problem
    if not isinstance(event, dict) or msgspec.json.encode(event).count(b":") != bytes(raw).count(b":"):
        raise InvalidEvent("malformed", "The event is not an object, or has a name twice.")
    for name in ("account_id", "profile_id"):
        if event.get(name) not in (None, getattr(dead_letter, name)):
            raise InvalidEvent("not_yours", f"{name} is not its sender's.", name)
    return msgspec.Raw(msgspec.json.encode(event | {"account_id": dead_letter.account_id}))
