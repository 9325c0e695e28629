"""Keeps a state's figures: totals, and minutes for as long as they may change."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from copy import copy
from dataclasses import dataclass

from domain.quality.figures import Cohort, Figures, Label, empty, labels
from domain.quality.state import State


@dataclass(frozen=True, slots=True)
class MinuteFigures:
    minute: int
    """Minutes since the epoch, by event time."""
    label: Label
    figures: Figures


class Tally:
    """An event adds to one place only, its minute and cohort; from there it comes to six: three labels' totals and
    three labels' minutes."""

    def __init__(self, state: State) -> None:
        self._state = state
        self.at = defaultdict[tuple[int, Cohort], Figures](Figures)
        """By minute and cohort: what to add to, until anything else is asked of the tally. Not in the state yet."""
        self._changed: dict[tuple[int, Label], Figures] = {}

    def changes(self) -> list[MinuteFigures]:
        """Brings the state up to date. The minutes that changed since the last call, as they are now."""
        self._add_up()
        changed = [MinuteFigures(minute, label, copy(one)) for (minute, label), one in self._changed.items()]
        self._changed.clear()
        return changed

    def put_back(self, changed: Iterable[MinuteFigures]) -> None:
        """These changes could not be kept: they are among the next ones again."""
        for one in changed:
            self._changed.setdefault((one.minute, one.label), one.figures)

    def close_before(self, minute: int) -> None:
        """Nothing is added to older minutes any more."""
        self._add_up()
        for closed in [each for each in self._state.minutes if each < minute]:
            del self._state.minutes[closed]

    def drop(self, gone: Sequence[Label]) -> None:
        """These labels' totals end here. Should a session of theirs still be open, they begin again."""
        if gone:
            self._add_up()
        for label in gone:
            self._state.totals.pop(label, None)

    def _add_up(self) -> None:
        for (minute, cohort), new in self.at.items():
            of_minute = self._state.minutes.setdefault(minute, {})
            for label in labels(cohort):
                if label not in of_minute:
                    of_minute[label] = empty(label)
                figures = self._changed[minute, label] = of_minute[label]
                figures.add(new)
                self._state.totals.setdefault(label, empty(label)).add(new)
        self.at.clear()
