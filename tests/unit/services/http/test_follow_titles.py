"""A service keeps refreshing the names of titles, whatever goes wrong."""

import asyncio

import pytest

from domain.metrics import RETRIES
from domain.titles.catalogue import Catalogue
from schemas.errors import TransientError
from services.http import titles
from tests.support.fake_metrics import FakeMetrics


async def test_an_unexpected_error_is_counted_and_the_next_attempt_follows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(titles, "RETRY_S", 0.0)
    errors: list[Exception] = [RuntimeError("a defect"), TransientError("S3 is away"), RuntimeError("again")]
    refreshed = asyncio.Event()
    loop = asyncio.get_running_loop()

    def get(_: str) -> bytes:
        if errors:
            raise errors.pop(0)
        loop.call_soon_threadsafe(refreshed.set)
        raise KeyError("no titles yet")

    metrics = FakeMetrics()
    following = asyncio.create_task(titles.follow_titles(Catalogue(), get, metrics))
    await asyncio.wait_for(refreshed.wait(), 60)
    following.cancel()
    assert metrics.counts[RETRIES] == {("titles",): 2}
