"""Which dead letters are pending. Pure: the topic itself records what was found and what was replayed."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from schemas.batch import BatchDecoder
from schemas.events import DeadLetter
from schemas.topics import DEAD_LETTERS

REPLAYED = "replay"
"""Step of the marker record: it follows a replayed dead letter, under the same id and so in the same partition."""


@dataclass(frozen=True, slots=True)
class Filter:
    """Which dead letters to replay; None matches all."""

    topic: str | None = None
    error_class: str | None = None
    since: int | None = None
    """Found at or after this time, in ms."""

    def matches(self, dead_letter: DeadLetter) -> bool:
        return (
            self.topic in (None, dead_letter.topic)
            and self.error_class in (None, dead_letter.error_class)
            and (self.since is None or dead_letter.failed_at >= self.since)
        )


def read(decoder: BatchDecoder, payloads: Sequence[bytes | None]) -> Iterator[DeadLetter]:
    """Decode the payloads of the dead-letter topic, whichever schema wrote them."""
    frame = decoder.decode(DEAD_LETTERS.record, payloads).frame.drop("_index")
    for row in frame.iter_rows(named=True):
        yield DeadLetter(**row)


def pending(records: Iterable[DeadLetter], filter_: Filter) -> list[DeadLetter]:
    """Each matching dead letter once, in the order of ``records``, except those already replayed."""
    waiting: dict[str, DeadLetter] = {}
    for record in records:
        if record.step == REPLAYED:
            waiting.pop(record.dead_letter_id, None)
        else:
            waiting[record.dead_letter_id] = record
    return [dead_letter for dead_letter in waiting.values() if filter_.matches(dead_letter)]


def mark(dead_letter: DeadLetter, now: int) -> DeadLetter:
    """The marker record for a replayed dead letter."""
    return DeadLetter(
        dead_letter_id=dead_letter.dead_letter_id,
        failed_at=now,
        step=REPLAYED,
        error_class="replayed",
        reason=f"Sent again after: {dead_letter.error_class}.",
        field=dead_letter.field,
        topic=dead_letter.topic,
    )
