"""Sends dead letters again under their original event ids, and marks each in the dead-letter topic.

A dead letter is marked after it was acknowledged. If the process is killed between the two, the next run sends it
again under the same event id: the history does not change and tables count it once, but the lake keeps both deliveries.
Otherwise a second run finds nothing to do. A dead letter that is still invalid is skipped.
"""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal, Protocol

from schemas.errors import InvalidEvent
from schemas.events import DeadLetter

Outcome = Literal["still invalid", "valid now", "sent"]
Tally = Counter[tuple[str, str, Outcome]]
"""Dead letters by topic, error class and outcome."""


class Target(Protocol):
    def check(self, dead_letter: DeadLetter) -> None:
        """Raises InvalidEvent if the dead letter is still invalid."""
        ...

    def send(self, dead_letter: DeadLetter) -> None:
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

    def run(self, dead_letters: Iterable[DeadLetter], *, dry: bool) -> Tally:
        tally: Tally = Counter()
        for dead_letter in dead_letters:
            tally[dead_letter.topic or "unknown", dead_letter.error_class, self._one(dead_letter, dry)] += 1
        return tally

    def _one(self, dead_letter: DeadLetter, dry: bool) -> Outcome:
        target = self.collector if dead_letter.step == "collector" else self.topic
        try:
            target.check(dead_letter)
            if dry:
                return "valid now"
            target.send(dead_letter)
        except InvalidEvent:
            return "still invalid"
        self.mark(dead_letter)
        return "sent"
