"""Ranges of a partition's offsets, and the lake objects that must hold them."""

from collections.abc import Iterable, Iterator

import polars as pl

from domain.lake.reading import LakeObject

OffsetRange = tuple[int, int]
"""Offsets: start to before end."""
Part = tuple[OffsetRange, LakeObject | None]
"""Offsets, and the object that must hold them. None: there is no object."""
READ_OFFSETS = 50_000
"""Kafka is read for about this many offsets at once."""


def within(span: OffsetRange) -> pl.Expr:
    return (pl.col("offset") >= span[0]) & (pl.col("offset") < span[1])


def split_by_object(span: OffsetRange, objects: Iterable[LakeObject]) -> Iterator[Part]:
    """Cut the span into the parts that each object must hold, and the parts in no object. ``objects``: in order."""
    position = span[0]
    for each in objects:
        start, end = max(position, each.start), min(span[1], each.end)
        if start >= span[1]:
            break
        if start < end:
            if start > position:
                yield (position, start), None
            yield (start, end), each
            position = end
    if position < span[1]:
        yield (position, span[1]), None


def overlaps(objects: Iterable[LakeObject]) -> Iterator[OffsetRange]:
    """The offsets that more than one of a chain's objects hold. ``objects``: in order."""
    end = 0
    for each in objects:
        if each.start < min(end, each.end):
            yield each.start, min(end, each.end)
        end = max(end, each.end)


def runs(parts: Iterable[Part]) -> Iterator[list[Part]]:
    """Adjacent parts, until they have READ_OFFSETS together."""
    run: list[Part] = []
    for part in parts:
        if run and (part[0][0] != run[-1][0][1] or part[0][1] - run[0][0][0] > READ_OFFSETS):
            yield run
            run = []
        run.append(part)
    if run:
        yield run


def overlap(one: OffsetRange, other: OffsetRange) -> OffsetRange:
    return max(one[0], other[0]), min(one[1], other[1])


def consecutive(offsets: pl.Series) -> list[OffsetRange]:
    """Consecutive offsets, as ranges."""
    ranges: list[OffsetRange] = []
    for offset in offsets.sort():
        if ranges and ranges[-1][1] == offset:
            ranges[-1] = (ranges[-1][0], offset + 1)
        else:
            ranges.append((offset, offset + 1))
    return ranges
