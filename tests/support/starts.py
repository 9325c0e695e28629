"""Streams that ask for slots."""

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from itertools import cycle
from uuid import uuid4

import uuid_utils

from domain.slots.leases import Leases
from domain.slots.model import Slot, Stream
from domain.slots.ports import SlotStore
from schemas.errors import TransientError
from tests.support.fake_metrics import FakeMetrics
from tests.support.pipeline import PATIENCE_S

AT_ONCE = 40
INSTANCES = 3
"""Of the service."""
ALLOWED = 2
OUTCOME = {"held": ALLOWED, "full": AT_ONCE - ALLOWED}
"""By verdict."""


def a_stream() -> Stream:
    """Of a device that plays nothing yet."""
    session = str(uuid_utils.uuid7())
    return Stream(session, "ml-1", f"device-{session}", "TV", "ml-50")


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    """Returns once the condition holds."""
    deadline = time.monotonic() + PATIENCE_S
    while not await condition():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.1)


async def taken(store: SlotStore, account: str) -> Mapping[int, Slot]:
    """The slots that are taken, by number, as soon as the store answers."""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        try:
            return (await store.slots(account)).taken
        except TransientError:
            assert time.monotonic() < deadline


async def race(store: SlotStore) -> Counter[str]:
    """By verdict: what becomes of ``AT_ONCE`` starts on a new account whose plan allows ``ALLOWED``."""
    account = f"race-{uuid4()}"
    instances = cycle([Leases(lambda: store, FakeMetrics(), PATIENCE_S) for _ in range(INSTANCES)])
    answers = await asyncio.gather(*(next(instances).start(account, ALLOWED, a_stream()) for _ in range(AT_ONCE)))
    assert len(await taken(store, account)) == ALLOWED
    return Counter(answer.verdict for answer in answers)
