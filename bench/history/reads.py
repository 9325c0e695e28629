"""A member's whole history, read again and again: how long each way of keeping it takes until the records are there."""

import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from rich.progress import track

from bench.history.members import Copies
from bench.history.stores import Ours, Rows
from bench.history.table import Line
from schemas.events import ViewingRecord

WHY = (
    "Two requests, the live rows and decoding a small chunk cost a reader in Python as much CPU as 500 rows do (taken"
    " apart once, on busy cores: LiveVH 0.9, metadata 0.6, decoding and merging 3.2 of 4.8 ms). A long read is almost"
    " all the reader's own CPU, and two fifths of the decoding is making Python's numbers, texts and records."
)
Read = Callable[[str], Awaitable[list[ViewingRecord]]]


@dataclass(frozen=True, slots=True)
class Times:
    """Of many calls, in seconds: on the clock, and on a processor by this process, which is the client's part."""

    wall: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)

    def wall_ms(self, share: float) -> float:
        """So many calls, 0.5 for p50, are faster."""
        return sorted(self.wall)[int(len(self.wall) * share)] * 1000


async def compare(
    histories: Copies, profiles: Sequence[int], ours: Ours, baselines: Sequence[Rows], aim: float
) -> list[Line]:
    """Every profile is read in each way, one right after another; AssertionError if not all of it comes back."""
    reads = [_through(ours), *map(_rows, baselines)]
    times = [Times() for _ in reads]
    for number in track(profiles, f"Reading histories of {histories.sessions:,} sessions"):
        written = histories[number][::-1]
        for read, timed in zip(reads, times, strict=True):
            wall, cpu = time.perf_counter(), time.process_time()
            records = await read(histories.profile_id(number))
            timed.wall.append(time.perf_counter() - wall)
            timed.cpu.append(time.process_time() - cpu)
            if records != written:
                raise AssertionError(f"{histories.profile_id(number)} does not read as it was written")
    p50, p99 = ([timed.wall_ms(share) for timed in times] for share in (0.5, 0.99))
    client = [sum(timed.cpu) / len(timed.cpu) * 1000 for timed in times]
    what = f"{histories.sessions:,} sessions read"
    worst = "p99" if len(profiles) >= 100 else f"slowest of {len(profiles)}"
    return [
        Line(f"{what}, p50 ms", p50, (aim, aim), "5 (mean)", WHY),
        Line(f"{what}, {worst} ms", p99, (aim, aim), "", WHY),
        Line("  CPU of the reading process, mean ms", client),
        Line("  µs a record, p50", [each / histories.sessions * 1000 for each in p50]),
    ]


def _through(ours: Ours) -> Read:
    async def read(profile_id: str) -> list[ViewingRecord]:
        whole = await ours.reader.read_all(profile_id)
        return whole.records if whole.complete else []

    return read


def _rows(baseline: Rows) -> Read:
    async def read(profile_id: str) -> list[ViewingRecord]:
        return baseline.read(profile_id)

    return read
