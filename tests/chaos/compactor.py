"""A compactor in its own process that dies at a given step. The product knows nothing about it."""

import asyncio
import multiprocessing
import os
import signal
import threading
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from multiprocessing.process import BaseProcess
from multiprocessing.queues import Queue
from multiprocessing.synchronize import Barrier

from domain.history.compaction import Compactor, Step, no_hook
from domain.history.rollup import RollUpRules
from infra.engines.cassandra import close, connect
from infra.runtime.settings import Settings
from infra.stores.compressed_vh_cassandra import CompressedVH
from infra.stores.history_cassandra import LiveVH
from tests.support.fake_metrics import FakeMetrics

RULES = RollUpRules(keep_live=4, chunk_bytes=2_000, max_live=10)
processes = multiprocessing.get_context("forkserver")  # a fork costs less than an interpreter and its imports
processes.set_forkserver_preload(["__main__", "tests.chaos.compactor"])


@dataclass(frozen=True, slots=True)
class Death:
    """SIGKILL this long after a step was reached."""

    step: Step
    after_s: float


def doomed(settings: Settings, profile_id: str, now: int, death: Death) -> BaseProcess:
    """Compacts until it is killed; exits 0 only if it never reaches that step."""
    process = processes.Process(target=_die, args=(settings, profile_id, now, death), daemon=True)
    process.start()
    return process


def racing_compactor(
    settings: Settings, profile_id: str, now: int, start: Barrier, outcomes: "Queue[str]", rounds: int
) -> BaseProcess:
    """Compacts this many rounds, each time together with the others at the barrier."""
    process = processes.Process(target=_race, args=(settings, profile_id, now, start, outcomes, rounds), daemon=True)
    process.start()
    return process


def _die(settings: Settings, profile_id: str, now: int, death: Death) -> None:
    reached = threading.Event()

    def kill() -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    async def at(step: Step) -> None:
        if step is not death.step or reached.is_set():
            return
        reached.set()
        if death.after_s:
            threading.Timer(death.after_s, kill).start()
        else:
            kill()

    async def run(compactor: Compactor) -> None:
        await compactor.compact(profile_id)

    _with_compactor(settings, now, run, at)
    if reached.is_set():
        signal.pause()


def _race(settings: Settings, profile_id: str, now: int, start: Barrier, outcomes: "Queue[str]", rounds: int) -> None:
    async def run(compactor: Compactor) -> None:
        for _ in range(rounds):
            await asyncio.to_thread(start.wait)
            outcomes.put(await compactor.compact(profile_id))

    _with_compactor(settings, now, run)


def _with_compactor(
    settings: Settings,
    now: int,
    run: Callable[[Compactor], Awaitable[None]],
    at: Callable[[Step], Awaitable[None]] = no_hook,
) -> None:
    session = connect(settings)

    async def compact() -> None:
        stores = LiveVH(session), CompressedVH(session)
        await run(Compactor(*stores, FakeMetrics(), RULES, lambda: now, at))

    asyncio.run(compact())
    close(session)
