"""A chain looked over again and again, a page of names at a time: do its objects still follow each other?

What was compared once may be lost later. Names and metadata are enough to see that an object is gone.
"""

from itertools import islice

from domain.lake import keys
from domain.lake.keys import Chain
from domain.lake.ports import ObjectStore

PAGE = 100
"""Objects a look: a chain of a day is over within minutes."""


class Scrub:
    def __init__(self, store: ObjectStore, chain: Chain) -> None:
        self._store = store
        self._chain = chain
        self._from = self._expected = 0
        self._ends: dict[int, int] = {}
        """Of the objects, by their start; they never change."""

    def look(self, position: int) -> list[tuple[int, int]]:
        """Offsets, start to before end, that the next page of the chain up to ``position`` does not hold.

        TransientError while the store is away.
        """
        holes: list[tuple[int, int]] = []
        page = list(islice(self._store.list(self._chain.prefix, self._chain.just_before(self._from)), PAGE))
        starts = [start for key in page if (start := keys.parse(key)[1]) < position]
        for start in starts:
            if start > self._expected:
                holes.append((self._expected, start))
            self._expected = max(self._expected, self._end(start))
        if len(starts) == PAGE:
            self._from = starts[-1] + 1
        else:
            if self._expected < position:
                holes.append((self._expected, position))
            self._from = self._expected = 0
        if holes:
            self._ends.clear()  # an object that was written again may end elsewhere
        return holes

    def _end(self, start: int) -> int:
        if start not in self._ends:
            try:
                self._ends[start] = int(self._store.head(self._chain.key(start))["end"])
            except KeyError:  # gone since it was listed
                return start
        return self._ends[start]
