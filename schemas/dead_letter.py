"""Builds dead letters: the original bytes, where they were found, and the reason.

The id is derived from the content or position, so a repeat after a crash is recognised.
"""

from dataclasses import dataclass
from uuid import UUID, uuid5

from schemas.errors import InvalidEvent
from schemas.events import DeadLetter

_NAMESPACE = UUID("5b0f6c1e-6d53-5f0b-9a3d-7a6a7f6f2d11")


@dataclass(frozen=True, slots=True)
class Position:
    """A record's position in Kafka. ``topic_id`` is Kafka's, so a recreated topic counts as another topic."""

    topic: str
    topic_id: str
    partition: int
    offset: int


@dataclass(frozen=True, slots=True)
class Origin:
    """Who sent it, if that sender may not send for everybody: a replay sends nothing that the sender could not."""

    sender: str
    """Kind of key or token: public, member or session."""
    account_id: str | None
    profile_id: str | None
    """Of the event, checked against the sender's account."""


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


def of_refused(
    error: InvalidEvent,
    sent: bytes,
    topic: str | None,
    now: int,
    sent_at: int | None = None,
    origin: Origin | None = None,
) -> DeadLetter:
    """A dead letter for what the collector refused: one event's bytes and its request's ``sent_at``, or a whole body.

    An event is wrapped in a request body, so that every value can be sent to the collector again unchanged.
    The id depends on the event only: refused again in a later request, it is recognised as a repeat.
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
        sender=origin.sender if origin else None,
        account_id=origin.account_id if origin else None,
        profile_id=origin.profile_id if origin else None,
    )
