"""Whether the log delivers record after record, checked and not trusted: a jump may be a loss."""

from collections.abc import Sequence
from itertools import count, takewhile

from domain.lake.ports import Record

Jump = tuple[int, int]
"""The offset that was expected, and the one that came instead."""


class Succession:
    """Offsets from a position on. After a jump it takes nothing more: the place has to be looked up anew."""

    def __init__(self, position: int, known: Jump | None = None) -> None:
        """``known``: a jump that came before. If the log, asked again for that offset and still having it, makes the
        very same jump forward, the offsets between never were records (ends of transactions): it is taken."""
        self.next = position
        self.jump: Jump | None = None
        self._known = known

    def take(self, records: Sequence[Record]) -> Sequence[Record]:
        """Those of these records, at least one, that follow without a jump."""
        if self.jump:
            return ()
        first = records[0].offset()
        if (self.next, first) == self._known and first > self.next:
            self.next = first
        following = records
        if records[-1].offset() - self.next != len(records) - 1:
            following = [record for record, _ in takewhile(_is_at, zip(records, count(self.next), strict=False))]
            self.jump = (self.next + len(following), records[len(following)].offset())
        self.next += len(following)
        return following


def _is_at(numbered: tuple[Record, int]) -> bool:
    record, offset = numbered
    return record.offset() == offset
