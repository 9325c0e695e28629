"""Send dead letters again, under their first event ids, and mark each in the topic of dead letters.

A letter is marked after it was acknowledged. Killed between the two, the next run sends it once more: under the
same event id, so the history does not change and tables count it once; the lake's raw objects hold both deliveries.
Otherwise a second run finds nothing to do. A letter that would die again is left alone.
"""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal, Protocol

from schemas.errors import InvalidEvent
from schemas.events import DeadLetter

Outcome = Literal["still invalid", "valid now", "sent"]
Tally = Counter[tuple[str, str, Outcome]]
"""Letters by topic, error class and outcome."""


class Target(Protocol):
    def check(self, letter: DeadLetter) -> None:
        """Raises InvalidEvent if the letter would die again."""
        ...

    def send(self, letter: DeadLetter) -> None:
        """Returns when it is stored."""
        ...


@dataclass(frozen=True, slots=True)
class Replay:
    topic: Target
    """For what the lake sink found in Kafka."""
    collector: Target
    """For what the collector refused."""
    mark: Callable[[DeadLetter], None]
    """Returns when the mark is stored."""

    def run(self, letters: Iterable[DeadLetter], *, dry: bool) -> Tally:
        tally: Tally = Counter()
        for letter in letters:
            tally[letter.topic or "unknown", letter.error_class, self._one(letter, dry)] += 1
        return tally

    def _one(self, letter: DeadLetter, dry: bool) -> Outcome:
        target = self.collector if letter.step == "collector" else self.topic
        try:
            target.check(letter)
            if dry:
                return "valid now"
            target.send(letter)
        except InvalidEvent:
            return "still invalid"
        self.mark(letter)
        return "sent"
