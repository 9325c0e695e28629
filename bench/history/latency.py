"""How long the history worker's writes take at a steady rate: ours while histories are rolled up, rows alone."""

import asyncio
import multiprocessing
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from statistics import fmean

from rich.progress import track

from bench.history.members import Copies, Records
from bench.history.reads import Times
from bench.history.rolling import Signals, keep_rolling_up
from bench.history.stores import Ours, Rows
from bench.history.stream import STATES, rounds
from bench.history.table import Line
from infra.clients.cassandra import LiveVH
from infra.settings import Settings

RATE = 1_500
"""Records a second."""
CALL = 50
"""Records that a worker writes at once: two batches."""
PROFILES = range(16)
"""Few, so that each is rolled up again and again."""
PAUSE_S = 8 * len(PROFILES) * STATES / RATE
"""Between two looks at all profiles: a history worker counts at one in eight of the sessions that start."""
TURNS = 4
"""Ours and rows take turns, so that both see the machine's moods."""
WHY = (
    "Rolling up shares processors with the writes: taken apart once, a process that only computed made p99 as long. And"
    " here it rolls up far more often than viewing makes it (see below)."
)
processes = multiprocessing.get_context("spawn")


async def compare(settings: Settings, histories: Copies, ours: Ours, baseline: Rows, seconds: float) -> list[Line]:
    """Each way has about so many seconds in all."""
    records = [record for part in rounds(histories, PROFILES, 100) for record in part]
    calls = [records[at : at + CALL] for at in range(0, len(records), CALL)]
    each = min(len(calls), int(RATE / CALL * seconds)) // TURNS
    beside, alone = Times(), Times()
    profiles = [histories.profile_id(number) for number in PROFILES]
    in_ours = settings.model_copy(update={"cassandra_keyspace": ours.keyspace})
    with _roller(in_ours, profiles) as roller:
        for turn in track(range(TURNS), "Writing at a steady rate"):
            part = calls[turn * each : (turn + 1) * each]
            roller.now.set()
            beside.wall.extend(await _written(ours.live, part))
            roller.now.clear()
            alone.wall.extend(await _written(baseline.live, part))
    p50, p99 = ([beside.wall_ms(share), alone.wall_ms(share)] for share in (0.5, 0.99))
    rolled_up = roller.rolled_up.value / (each * TURNS * CALL / 1000)
    viewing = 1000 / fmean(record.seq + 1 for number in PROFILES for record in histories[number])
    return [
        Line(f"{CALL} records written, p50 ms", p50, (1,), "1.5 (mean)", WHY),
        Line(f"{CALL} records written, p99 ms", p99, (1,), "", WHY),
        Line("  rolled up for 1,000 written", [rolled_up]),
        Line("  the same in simulated viewing", [viewing]),
    ]


async def _written(live: LiveVH, calls: Sequence[Records]) -> list[float]:
    """Seconds of each call, from when it was due: a late start is part of it."""
    started = time.perf_counter()

    async def write(number: int, records: Records) -> float:
        due = started + number * CALL / RATE
        await asyncio.sleep(due - time.perf_counter())
        await live.write(records)
        return time.perf_counter() - due

    return await asyncio.gather(*(write(number, records) for number, records in enumerate(calls)))


@contextmanager
def _roller(settings: Settings, profiles: Sequence[str]) -> Iterator[Signals]:
    """A process of its own, as the compaction worker is one."""
    signals = Signals(processes.Event(), processes.Event(), processes.Value("q"))
    arguments = settings, profiles, PAUSE_S, signals
    process = processes.Process(target=keep_rolling_up, args=arguments, daemon=True)
    process.start()
    signals.ready.wait()
    try:
        yield signals
    finally:
        process.kill()  # at any moment: that is what compaction is made for
        process.join()
