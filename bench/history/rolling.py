"""Rolling up as the workers do it: who has more live sessions than the threshold is compacted."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from multiprocessing.sharedctypes import Synchronized
from multiprocessing.synchronize import Event

from bench.history.stores import Ours, connected
from domain.history.rollup import RollUpRules
from infra.engines.cassandra import connect
from infra.runtime import logs
from infra.runtime.settings import Settings

AT_ONCE = 4


def rules(settings: Settings) -> RollUpRules:
    return RollUpRules(keep_live=settings.compaction_keep_live, chunk_bytes=settings.chunk_bytes)


async def roll_up(ours: Ours, profiles: Sequence[str], threshold: int) -> float:
    """Seconds of this process's CPU, without those for counting: that is the history worker's part."""
    counts = await asyncio.gather(*(ours.live.count(profile, threshold + 1) for profile in profiles))
    room = asyncio.Semaphore(AT_ONCE)

    async def compact(profile: str) -> None:
        async with room:
            await ours.compactor.compact(profile)

    started = time.process_time()
    overgrown = [profile for profile, count in zip(profiles, counts, strict=True) if count > threshold]
    await asyncio.gather(*map(compact, overgrown))
    return time.process_time() - started


@dataclass(frozen=True, slots=True)
class Signals:
    """Shared by a bench and the process that rolls up during it."""

    ready: Event
    now: Event
    """It works while this is set."""
    rolled_up: "Synchronized[int]"
    """Records so far."""


def keep_rolling_up(settings: Settings, profiles: Sequence[str], pause_s: float, signals: Signals) -> None:
    """Runs in a second process until it is killed. It visits all profiles, then pauses."""
    logs.configure("bench", "WARNING")
    session = connect(settings)

    async def go_round() -> None:
        ours = connected(session, rules(settings))
        signals.ready.set()
        while True:
            signals.now.wait()
            await roll_up(ours, profiles, settings.compaction_threshold)
            signals.rolled_up.value = int(ours.counted.rolled_up)
            await asyncio.sleep(pause_s)

    asyncio.run(go_round())
