"""Maintains a state's figures: the totals, and each minute while it may still change."""

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
    """An event is added once, under its minute and cohort. ``changes`` distributes it to six figures: the totals and
    the minutes of three labels."""

    def __init__(self, state: State) -> None:
        self._state = state
        self.pending = defaultdict[tuple[int, Cohort], Figures](Figures)
        """By minute and cohort: figures to add to. Any other call moves them into the state."""
        self._changed: dict[tuple[int, Label], Figures] = {}

    def changes(self) -> list[MinuteFigures]:
        """Update the state. Returns the current figures of the minutes that changed since the last call."""
        self._add_up()
        changed = [MinuteFigures(minute, label, copy(one)) for (minute, label), one in self._changed.items()]
        self._changed.clear()
        return changed

    def put_back(self, changed: Iterable[MinuteFigures]) -> None:
        """These changes could not be stored: the next call returns them again."""
        for one in changed:
            self._changed.setdefault((one.minute, one.label), one.figures)

    def close_before(self, minute: int) -> None:
        """Drop the older minutes: nothing is added to them any more."""
        self._add_up()
        for closed in [each for each in self._state.minutes if each < minute]:
            del self._state.minutes[closed]

    def drop(self, labels_: Sequence[Label]) -> None:
        """Drop these labels' totals. They start again from zero if one of their sessions is still open."""
        if labels_:
            self._add_up()
        for label in labels_:
            self._state.totals.pop(label, None)

    def _add_up(self) -> None:
        for (minute, cohort), new in self.pending.items():
            of_minute = self._state.minutes.setdefault(minute, {})
            for label in labels(cohort):
                if label not in of_minute:
                    of_minute[label] = empty(label)
                figures = self._changed[minute, label] = of_minute[label]
                figures.add(new)
                self._state.totals.setdefault(label, empty(label)).add(new)
        self.pending.clear()
