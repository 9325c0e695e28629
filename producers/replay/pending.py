"""Which dead letters wait to be replayed. Pure: the topic's own records say what was made and what was sent again."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from schemas.codec import BatchDecoder
from schemas.events import DeadLetter
from schemas.topics import DEAD_LETTERS

REPLAYED = "replay"
"""Step of the mark that follows a dead letter which was sent again, under the same id, so in the same partition."""


@dataclass(frozen=True, slots=True)
class Choice:
    """What to replay; None means any."""

    topic: str | None = None
    error_class: str | None = None
    since: int | None = None
    """Found at or after this time, in ms."""

    def takes(self, letter: DeadLetter) -> bool:
        return (
            self.topic in (None, letter.topic)
            and self.error_class in (None, letter.error_class)
            and (self.since is None or letter.failed_at >= self.since)
        )


def read(decoder: BatchDecoder, payloads: Sequence[bytes | None]) -> Iterator[DeadLetter]:
    """The dead letters among the payloads of their topic, whichever schema wrote them."""
    frame = decoder.decode(DEAD_LETTERS.record, payloads).frame.drop("_index")
    for row in frame.iter_rows(named=True):
        yield DeadLetter(**row)


def outstanding(records: Iterable[DeadLetter], choice: Choice) -> list[DeadLetter]:
    """Each chosen dead letter once, in the order of ``records``, without those that were replayed since."""
    waiting: dict[str, DeadLetter] = {}
    for record in records:
        if record.step == REPLAYED:
            waiting.pop(record.dead_letter_id, None)
        else:
            waiting[record.dead_letter_id] = record
    return [letter for letter in waiting.values() if choice.takes(letter)]


def mark(letter: DeadLetter, now: int) -> DeadLetter:
    """The record that takes a dead letter off the list."""
    return DeadLetter(
        dead_letter_id=letter.dead_letter_id,
        failed_at=now,
        step=REPLAYED,
        error_class="replayed",
        reason=f"Sent again after: {letter.error_class}.",
        field=letter.field,
        topic=letter.topic,
    )
