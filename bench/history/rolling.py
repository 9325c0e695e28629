"""Rolling up as the workers do it: who has more live sessions than the threshold is compacted."""

import asyncio
import time
from collections.abc import Sequence
from multiprocessing.synchronize import Event

from bench.history.stores import Ours, connected
from infra import logs
from infra.clients.cassandra import connect
from infra.settings import Settings
from streams.history.rollup import RollUpRules

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


def keep_rolling_up(settings: Settings, profiles: Sequence[str], ready: Event, now: Event) -> None:
    """For a process beside the one that writes: while ``now`` is set, until it is killed."""
    logs.configure("bench", "WARNING")
    session = connect(settings)

    async def go_round() -> None:
        ours = connected(session, rules(settings))
        ready.set()
        while True:
            now.wait()
            await roll_up(ours, profiles, settings.compaction_threshold)
            await asyncio.sleep(0.1)

    asyncio.run(go_round())
