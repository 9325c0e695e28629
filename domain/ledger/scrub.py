"""Checks a chain again and again, one page of keys at a time: does each object still start where the last one ends?

An object that was compared may be lost, doubled or overwritten later. Keys, metadata and what the store says of each
body are enough to notice that.
"""

from itertools import islice

from domain.lake import keys
from domain.lake.keys import Chain
from domain.lake.reading import parse_metadata
from domain.ledger.ports import LedgerStore

PAGE = 100
"""Objects a call: a day's chain takes a few minutes."""


class Scrub:
    def __init__(self, store: LedgerStore, chain: Chain) -> None:
        self._store = store
        self._chain = chain
        self._from = self._expected = self._newest = 0
        self._ends: dict[int, int] = {}
        """Object start to object end. It changes only with the body."""
        self._bodies: dict[int, int] = {}
        """Object start to a hash of what the store said of the body, since this process started."""
        self.ahead: list[int] = []
        """Where the objects start that the last walk found at the compared position or beyond it."""

    def next_page(self, position: int) -> list[tuple[int, int]]:
        """Ranges of offsets, start to before end, to compare again: what the chain's next page below ``position``
        lacks, holds twice, or holds with another body than before.

        TransientError while the store is unreachable.
        """
        suspect: list[tuple[int, int]] = []
        entries = self._store.entries(self._chain.prefix, self._chain.just_before(self._from))
        page = [(keys.parse(key)[1], hash(body)) for key, body in islice(entries, PAGE)]
        for start, body in page:
            if start >= position:
                break
            if self._bodies.setdefault(start, body) != body:
                self._bodies[start] = body
                self._ends.pop(start, None)
                suspect.append((start, self._end(start)))
            if start > self._expected:
                suspect.append((self._expected, start))
            elif start < self._expected:
                suspect.append((self._newest, self._expected))
            self._newest = start
            self._expected = max(self._expected, self._end(start))
        if len(page) == PAGE and page[-1][0] < position:
            self._from = page[-1][0] + 1
        else:
            if self._expected < position:
                suspect.append((self._expected, position))
            self._from = self._expected = self._newest = 0
            self.ahead = [start for start, _ in page if start >= position]
        if suspect:
            self._ends.clear()  # an object that was written again may end elsewhere
        return [span for span in suspect if span[0] < span[1]]

    def _end(self, start: int) -> int:
        if start not in self._ends:
            try:
                key = self._chain.key(start)
                self._ends[start] = parse_metadata(key, self._store.head(key)).end
            except KeyError:  # deleted since it was listed
                return start
        return self._ends[start]
