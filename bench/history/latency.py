"""How long the history worker's writes take at a steady rate: ours while histories are rolled up, rows alone.

Once as members view: a session is written as often as the simulator's players report it. Once with sessions written
only a few times, so that there is far more to roll up for as many writes.
"""

import asyncio
import multiprocessing
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain, islice
from statistics import fmean

from rich.progress import track

from bench.history.members import Copies, Records
from bench.history.reads import Times
from bench.history.rolling import Signals, keep_rolling_up
from bench.history.stores import Ours, Rows, write
from bench.history.stream import FEW_STATES, rounds
from bench.history.table import Line
from infra.runtime.settings import Settings
from infra.stores.history_cassandra import LiveVH

RATE = 1_500
"""Records a second."""
CALL = 50
"""Records that a worker writes at once: two batches."""
PROFILES = 16
"""Few, so that each is rolled up within the time there is."""
BEGINNING = 80
"""Sessions that begin while as many others end."""
TURNS = 4
"""Ours and rows take turns, so that both see the machine's moods."""
WHY = "Rolling up shares processors with the writes: taken apart once, a process that only computed made p99 as long."
processes = multiprocessing.get_context("spawn")


@dataclass(frozen=True, slots=True)
class Viewing:
    """Sessions played at a steady rate, this many writes of each."""

    histories: Copies
    profiles: range
    states: int

    @property
    def pause_s(self) -> float:
        """Between two looks at all profiles: a history worker counts at one in eight of the sessions that begin."""
        return 8 * len(self.profiles) * self.states / RATE

    def before(self, settings: Settings) -> Records:
        """What was played before: any number of sessions that a profile may have between two roll-ups."""
        return [
            record for number in self.profiles for record in self.histories[number][: self._begun(settings, number)]
        ]

    def calls(self, settings: Settings, seconds: float) -> list[Records]:
        """A worker's writes, for this long or until all is played."""
        coming = chain.from_iterable(
            self.histories[number][self._begun(settings, number) :] for number in self.profiles
        )
        records = chain.from_iterable(rounds(coming, BEGINNING, self.states))
        calls = (list(islice(records, CALL)) for _ in range(int(RATE / CALL * seconds)))
        return [call for call in calls if len(call) == CALL]

    def _begun(self, settings: Settings, number: int) -> int:
        least, most = settings.compaction_keep_live, settings.compaction_threshold
        return least + (most - least) * (number - self.profiles.start) // len(self.profiles)


async def compare(settings: Settings, histories: Copies, ours: Ours, baseline: Rows, seconds: float) -> list[Line]:
    """Each way gets about this many seconds as members view, and a quarter of that with more to roll up."""
    states = fmean(record.seq + 1 for number in range(PROFILES) for record in histories[number])
    viewing = Viewing(histories, range(PROFILES), 2 * round(states / 2))
    pressed = Viewing(histories, range(PROFILES, 2 * PROFILES), FEW_STATES)
    p50, p99, rolled_up = await _measured(settings, viewing, ours, baseline, seconds)
    pressed_p50, pressed_p99, pressed_rolled_up = await _measured(settings, pressed, ours, baseline, seconds / 4)
    what = f"{CALL} records written"
    return [
        Line(f"{what}, p50 ms", p50, (1,), "1.5 (mean)", WHY),
        Line(f"{what}, p99 ms", p99, (1,), "", WHY),
        Line("  rolled up for 1,000 written, as in viewing", [rolled_up]),
        Line("  with more to roll up: p50 ms", pressed_p50),
        Line("  with more to roll up: p99 ms", pressed_p99),
        Line("  rolled up for 1,000 written", [pressed_rolled_up]),
    ]


async def _measured(
    settings: Settings, viewing: Viewing, ours: Ours, baseline: Rows, seconds: float
) -> tuple[list[float], list[float], float]:
    """p50 and p99 of a call in ms, ours and the baseline's; records that were rolled up for 1,000 written."""
    before, calls = viewing.before(settings), viewing.calls(settings, seconds)
    for way in (ours, baseline):
        await write(way.live, before)
    compacting, alone = Times(), Times()
    with _roller(settings.model_copy(update={"cassandra_keyspace": ours.keyspace}), viewing) as roller:
        for turn in track(range(TURNS), f"Writing at a steady rate, {viewing.states} times a session"):
            part = calls[turn * len(calls) // TURNS : (turn + 1) * len(calls) // TURNS]
            roller.now.set()
            compacting.wall.extend(await _written(ours.live, part))
            roller.now.clear()
            alone.wall.extend(await _written(baseline.live, part))
        rolled_up = roller.rolled_up.value / len(calls) / CALL * 1000
    p50, p99 = ([times.wall_ms(share) for times in (compacting, alone)] for share in (0.5, 0.99))
    return p50, p99, rolled_up


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
def _roller(settings: Settings, viewing: Viewing) -> Iterator[Signals]:
    """Runs in its own process, as the compaction worker does."""
    signals = Signals(processes.Event(), processes.Event(), processes.Value("q"))
    profiles = [viewing.histories.profile_id(number) for number in viewing.profiles]
    arguments = settings, profiles, viewing.pause_s, signals
    process = processes.Process(target=keep_rolling_up, args=arguments, daemon=True)
    process.start()
    signals.ready.wait()
    try:
        yield signals
    finally:
        process.kill()  # at any moment: that is what compaction is made for
        process.join()
