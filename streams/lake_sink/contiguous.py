"""Checks that the log delivers offset after offset: a gap may be a loss."""

from collections.abc import Sequence

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

    def accept(self, records: Sequence[Record], removed_before: int = 0) -> Sequence[Record]:
        """Those of these records (at least one) that follow without a gap.

        ``removed_before``: on a compacted topic, the time in ms up to which compaction may have removed records. A
        later record from before that time replaces each of them, and append times rise. So a hole is compaction's work
        if the record behind it was appended before that time, and only then.
        """
        if self.gap:
            return ()
        first = records[0].offset()
        if (self.next, first) == self._known and first > self.next:
            self.next = first
        if records[-1].offset() - self.next == len(records) - 1:
            self.next += len(records)
            return records
        following: list[Record] = []
        for record in records:
            offset = record.offset()
            if offset != self.next and not (offset > self.next and record.timestamp()[1] < removed_before):
                self.gap = (self.next, offset)
                break
            self.next = offset + 1
            following.append(record)
        return following
