"""Every figure of the history in one run."""

from contextlib import ExitStack
from dataclasses import dataclass

from bench.history import disk, latency, maintenance, reads
from bench.history.members import Copies, Records, bytes_a_record, simulated
from bench.history.rolling import rules
from bench.history.stores import ours, rows
from bench.history.table import Line
from bench.history.work import Meter
from infra.engines.cassandra import close, connect
from infra.runtime.settings import Settings

LZ4, ZSTD = "LZ4Compressor", "ZstdCompressor"
ALIKE = 0.03


@dataclass(frozen=True)
class Size:
    profiles: int = 1_000
    sessions: int = 500
    long: int = 3
    long_sessions: int = 50_000
    simulated: int = 24
    """Members whose histories the others get."""
    simulated_long: int = 2_500
    """Sessions of the member whose history the long ones get: more than a chunk holds."""
    long_reads: int = 24
    seconds: float = 64
    """Of writing at a steady rate, each way."""
    years: int = 160
    """Profiles whose years are played."""


async def run(settings: Settings, pid: int, size: Size) -> list[Line]:
    """``pid``: of Cassandra, on this machine. AssertionError if a history does not read as it was written."""
    short = simulated(size.simulated, size.sessions)
    members = Copies(short, "member", size.sessions)
    check_likeness(short, members)
    longer = Copies(simulated(1, size.simulated_long), "long", size.long_sessions)
    with ExitStack() as opened:
        enter = opened.enter_context
        session = connect(settings)
        opened.callback(close, session)
        us = enter(ours(settings, "ours", rules(settings)))
        baselines = [enter(rows(settings, "rows_lz4", LZ4)), enter(rows(settings, "rows_zstd", ZSTD))]
        cpu_s = await disk.fill(settings, members, size.profiles, us, baselines)
        cpu_s += await disk.fill(settings, longer, size.long, us, baselines)
        at_once = Line("  a whole history at once", [us.counted.rolled_up / cpu_s])
        records = size.profiles * size.sessions + size.long * size.long_sessions
        lines = disk.on_disk(settings, us, baselines, records)
        lines += await reads.compare(members, range(size.profiles), us, baselines, 5)
        again_and_again = [number % size.long for number in range(size.long_reads)]
        lines += await reads.compare(longer, again_and_again, us, baselines, 20)
        writers = Copies(short, "writer", size.sessions)
        lines += await latency.compare(settings, writers, us, baselines[0], size.seconds)
        played = Copies(short, "year", size.sessions)
        lines += await maintenance.compare(
            maintenance.Years(settings, played, range(size.years), Meter(session, pid)),
            enter(ours(settings, "years_ours", rules(settings))),
            enter(rows(settings, "years_levels", LZ4)),
            enter(rows(settings, "years_tiers", LZ4, "T4")),
        )
    return [*lines, at_once]


def check_likeness(originals: list[Records], copies: Copies) -> None:
    """AssertionError if copies do not take the bytes in chunks that their originals take."""
    expected = bytes_a_record(originals)
    found = bytes_a_record([copies[number] for number in range(2 * len(originals))])
    print(f"bytes a record in chunks alone: {expected:.1f} of simulated histories, {found:.1f} of their copies")
    if abs(found / expected - 1) > ALIKE:
        raise AssertionError("copies are not like their originals")
