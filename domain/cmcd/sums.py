"""What a play has come to, from the states that its player reported.

A player says what state it is in, never for how long. The sums are those of the set of its lines: lines that come twice
or out of order change nothing, as long as they are among the newest ``KEPT``.
"""

from bisect import insort
from copy import copy
from typing import NamedTuple

from domain.cmcd.line import STATES
from schemas.events import PlayerState

KEPT = 32
"""Newest lines whose order may still change."""
MOST_SILENT_MS = 300_000
"""A player that says nothing for longer slept. It reports every half minute by default."""


class Mark(NamedTuple):
    """A line that says something about the play, in the order of its time."""

    time: int
    number: int
    state: str
    """CMCD's word; empty: as before."""


class Sums:
    """Cumulative figures after a row of marks, as a playback event has them. Times in milliseconds."""

    def __init__(self) -> None:
        self.state: PlayerState = "starting"
        self.failed = False
        self.began_at: int | None = None
        """When start-up began."""
        self.at = 0
        self.since = 0
        self.startup_ms: int | None = None
        self.watched_ms = self.paused_ms = self.rebuffer_ms = 0
        self.rebuffer_count = self.seek_count = 0
        self._starting_seen = False

    def advance(self, mark: Mark) -> None:
        if self.began_at is None:
            self.began_at = self.at = self.since = mark.time
        slept = self._pass(mark.time)
        self.began_at += slept
        self.since += slept
        if not mark.state:
            return
        if mark.state == "s" and not self._starting_seen:
            self._starting_seen = True
            self.began_at = mark.time
        self.failed = mark.state == "f"
        state = self._understood(STATES[mark.state])
        if state == self.state:
            return
        if state == "playing" and self.startup_ms is None:
            self.startup_ms = mark.time - self.began_at
        self.rebuffer_count += state == "rebuffering"
        self.seek_count += state == "seeking"
        self.state, self.since = state, mark.time

    def _understood(self, state: PlayerState) -> PlayerState:
        """Waiting before the first frame is start-up, and after a seek part of the seek."""
        if self.startup_ms is None and state in ("rebuffering", "seeking"):
            return "starting"
        if self.startup_ms is not None and state == "starting":
            return "rebuffering" if self.state == "rebuffering" else "seeking"
        return "seeking" if self.state == "seeking" and state == "rebuffering" else state

    def _pass(self, now: int) -> int:
        """For how long the player slept, or by how much its clock was set."""
        elapsed = min(now - self.at, MOST_SILENT_MS)
        slept = now - self.at - elapsed
        self.at = now
        if self.state == "playing":
            self.watched_ms += elapsed
        elif self.state == "paused":
            self.paused_ms += elapsed
        elif self.state == "rebuffering":
            self.rebuffer_ms += elapsed
        return slept


class RunningSums:
    """The sums of all marks so far, whatever the order in which they came."""

    def __init__(self) -> None:
        self._base = Sums()
        self._newest: list[Mark] = []
        self._current = Sums()
        self._floor: Mark | None = None

    def add(self, mark: Mark) -> bool:
        """False: it came too late to count."""
        if self._floor is not None and mark <= self._floor:
            return False
        in_order = not self._newest or mark > self._newest[-1]
        insort(self._newest, mark)
        if len(self._newest) > KEPT:
            self._floor = self._newest.pop(0)
            self._base.advance(self._floor)
        if in_order:
            self._current.advance(mark)
        else:
            self._current = copy(self._base)
            for each in self._newest:
                self._current.advance(each)
        return True

    @property
    def current(self) -> Sums:
        return self._current
