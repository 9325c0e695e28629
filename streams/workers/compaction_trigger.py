"""Notices members whose live history has grown too long, and asks for its compaction.

Rows are counted at a sample of session starts only: nothing needs to be remembered, and a partition overshoots the
threshold by about as many sessions as the sample passes over. A request that gets lost is made again soon.
"""

import asyncio
from collections.abc import Collection
from dataclasses import dataclass

import structlog

from domain.clock import Clock
from domain.history.ports import CompactionRequests, LiveCounts
from schemas.errors import TransientError
from schemas.events import CompactionRequest

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class CompactionTrigger:
    live: LiveCounts
    requests: CompactionRequests
    threshold: int
    """More live records than this are too many."""
    now: Clock

    async def check(self, profiles: Collection[str]) -> None:
        """Request a compaction of those that have too many. Never fails: what is away now is asked again later."""
        try:
            counts = await asyncio.gather(*(self.live.count(profile, self.threshold + 1) for profile in profiles))
            requests = [
                CompactionRequest(profile_id=profile, requested_at=self.now(), live_records=count)
                for profile, count in zip(profiles, counts, strict=True)
                if count > self.threshold
            ]
            if requests:
                await self.requests.publish(requests)
        except TransientError as error:
            log.warning("no compaction requested", reason=str(error))
