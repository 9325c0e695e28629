"""Checks that the log delivers offset after offset: a gap may be a loss."""

from collections.abc import Sequence
from itertools import count, takewhile

from domain.lake.ports import Record

OffsetGap = tuple[int, int]
"""The offset that was expected, and the one that came instead."""


class ContiguousOffsets:
    """Offsets from a position on. After a gap it accepts nothing more: the partition has to be reopened."""

    def __init__(self, position: int, known: OffsetGap | None = None) -> None:
        """``known``: a gap seen before. If Kafka, asked again for an offset that it still has, skips to the same
        offset again, the offsets between never were records (they end transactions), and the gap is accepted."""
        self.next = position
        self.gap: OffsetGap | None = None
        self._known = known

    def accept(self, records: Sequence[Record]) -> Sequence[Record]:
        """Those of these records (at least one) that follow without a gap."""
        if self.gap:
            return ()
        first = records[0].offset()
        if (self.next, first) == self._known and first > self.next:
            self.next = first
        following = records
        if records[-1].offset() - self.next != len(records) - 1:
            following = [record for record, _ in takewhile(_is_at, zip(records, count(self.next), strict=False))]
            self.gap = (self.next + len(following), records[len(following)].offset())
        self.next += len(following)
        return following


def _is_at(numbered: tuple[Record, int]) -> bool:
    record, offset = numbered
    return record.offset() == offset
