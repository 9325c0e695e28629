"""The one maker of dead letters: original bytes, where they were, what is wrong with them.

The id is derived, so a repeat after a crash has the same id and is recognised as a repeat.
"""

from dataclasses import dataclass
from uuid import UUID, uuid5

from schemas.errors import InvalidEvent
from schemas.events import DeadLetter

_NAMESPACE = UUID("5b0f6c1e-6d53-5f0b-9a3d-7a6a7f6f2d11")


@dataclass(frozen=True, slots=True)
class Position:
    """Where a record stands in Kafka. ``topic_id`` is Kafka's own, so a recreated topic is another topic."""

    topic: str
    topic_id: str
    partition: int
    offset: int


def of_record(error: InvalidEvent, at: Position, key: bytes | None, value: bytes | None, now: int) -> DeadLetter:
    """A dead letter for bytes found in Kafka."""
    return DeadLetter(
        dead_letter_id=str(uuid5(_NAMESPACE, f"{at.topic_id}/{at.partition}/{at.offset}")),
        failed_at=now,
        step="lake",
        error_class=error.code,
        reason=error.reason,
        field=error.field,
        topic=at.topic,
        topic_id=at.topic_id,
        partition=at.partition,
        offset=at.offset,
        key=key,
        value=value,
    )


def of_refused(error: InvalidEvent, sent: bytes, topic: str | None, now: int, sent_at: int | None = None) -> DeadLetter:
    """A dead letter for what the collector refused: one event's bytes and its request's ``sent_at``, or a whole body.

    An event is kept inside a body of its own, so that every value can be sent to the collector again as it is.
    The id is the event's alone: refused again in a later request, it is recognised as a repeat.
    """
    return DeadLetter(
        dead_letter_id=str(uuid5(_NAMESPACE, sent.hex())),
        failed_at=now,
        step="collector",
        error_class=error.code,
        reason=error.reason,
        field=error.field,
        topic=topic,
        value=sent if sent_at is None else b'{"sent_at":%d,"events":[%b]}' % (sent_at, sent),
    )
