"""How long the history worker's writes take at a steady rate: ours while histories are rolled up, rows alone."""

import asyncio
import multiprocessing
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from multiprocessing.synchronize import Event

from rich.progress import track

from bench.history.members import Copies, Records
from bench.history.reads import Times
from bench.history.rolling import keep_rolling_up
from bench.history.stores import Ours, Rows
from bench.history.stream import rounds
from bench.history.table import Line
from infra.clients.cassandra import LiveVH
from infra.settings import Settings

RATE = 1_500
"""Records a second."""
CALL = 50
"""Records that a worker writes at once: two batches."""
PROFILES = range(16)
"""Few, so that each is rolled up again and again."""
TURNS = 4
"""Ours and rows take turns, so that both see the machine's moods."""
processes = multiprocessing.get_context("spawn")


async def compare(settings: Settings, histories: Copies, ours: Ours, baseline: Rows, seconds: float) -> list[Line]:
    """Each way has about so many seconds in all."""
    records = [record for part in rounds(histories, PROFILES, 100) for record in part]
    calls = [records[at : at + CALL] for at in range(0, len(records), CALL)]
    each = min(len(calls), int(RATE / CALL * seconds)) // TURNS
    beside, alone = Times(), Times()
    profiles = [histories.profile_id(number) for number in PROFILES]
    in_ours = settings.model_copy(update={"cassandra_keyspace": ours.keyspace})
    with _roller(in_ours, profiles) as now:
        for turn in track(range(TURNS), "Writing at a steady rate"):
            part = calls[turn * each : (turn + 1) * each]
            now.set()
            beside.wall.extend(await _written(ours.live, part))
            now.clear()
            alone.wall.extend(await _written(baseline.live, part))
    why = "Not taken apart: rolling up shares processors and commit log with the writes."
    p50, p99 = ([beside.wall_ms(share), alone.wall_ms(share)] for share in (0.5, 0.99))
    return [
        Line(f"{CALL} records written, p50 ms", p50, (1,), "1.5 (mean)", why),
        Line(f"{CALL} records written, p99 ms", p99, (1,), "", why),
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
def _roller(settings: Settings, profiles: Sequence[str]) -> Iterator[Event]:
    """A process of its own, as the compaction worker is one; it works while the event is set."""
    ready, now = processes.Event(), processes.Event()
    process = processes.Process(target=keep_rolling_up, args=(settings, profiles, ready, now), daemon=True)
    process.start()
    ready.wait()
    try:
        yield now
    finally:
        process.kill()  # at any moment: that is what compaction is made for
        process.join()
