"""A service keeps refreshing its titles, whatever goes wrong, and starts with those that it read last."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from domain.metrics import RETRIES, TITLES_AGE
from domain.titles.catalogue import Catalogue, Title
from infra.runtime.kept_file import KeptFile
from schemas.errors import TransientError
from services.http import titles
from tests.support.fake_metrics import FakeMetrics

STAR_WARS = b'{"title_id":"ml-50","name":"Star Wars","maturity":"12"}\n'
FARGO = b'{"title_id":"ml-100","name":"Fargo","maturity":"16"}\n'


@dataclass
class Service:
    """One that follows titles, and can be started again."""

    file: KeptFile
    objects: list[bytes | Exception]
    """What S3 answers, one after the other; then nothing more."""
    catalogue: Catalogue = field(default_factory=Catalogue)
    metrics: FakeMetrics = field(default_factory=FakeMetrics)
    late_ms: int = 0
    """How long after the file was written it is now."""

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """The block begins when S3 has given all its answers."""
        loop, over = asyncio.get_running_loop(), asyncio.Event()

        def get(_: str) -> bytes:
            if not self.objects:
                loop.call_soon_threadsafe(over.set)
                raise KeyError("no more")
            answer = self.objects.pop(0)
            if isinstance(answer, Exception):
                raise answer
            return answer

        following = asyncio.create_task(titles.follow_titles(self.catalogue, get, self.file, self.metrics, self._now))
        await asyncio.wait_for(over.wait(), 60)
        yield
        following.cancel()

    def _now(self) -> int:
        kept = self.file.read()
        return (kept.at if kept else 0) + self.late_ms


Make = Callable[..., Service]


@pytest.fixture
def make(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Make:
    """Services with one file."""
    monkeypatch.setattr(titles, "RETRY_S", 0.0)
    monkeypatch.setattr(titles, "REFRESH_S", 0.0)
    return lambda *objects: Service(KeptFile(tmp_path / "titles.jsonl"), [*objects])


async def test_an_unexpected_error_is_counted_and_the_next_attempt_follows(make: Make) -> None:
    service = make(RuntimeError("a defect"), TransientError("S3 is away"), RuntimeError("again"), STAR_WARS)
    async with service.running():
        assert service.metrics.counts[RETRIES] == {("titles",): 2}
        assert service.catalogue.title("ml-50").name == "Star Wars"


async def test_a_service_that_restarts_while_s3_is_away_knows_the_titles_that_were_read_last(make: Make) -> None:
    async with make(STAR_WARS, FARGO).running():
        pass
    restarted = make(TransientError("S3 is away"))
    restarted.late_ms = 90_000
    async with restarted.running():
        assert restarted.catalogue.title("ml-100").maturity == "16"
        assert restarted.catalogue.title("ml-50") == Title("ml-50")
        assert list(restarted.metrics.gauges[TITLES_AGE].values()) == [90.0]


async def test_without_titles_there_is_no_age(make: Make) -> None:
    service = make(TransientError("S3 is away"))
    async with service.running():
        assert service.metrics.gauges[TITLES_AGE] == {}
        assert len(service.catalogue) == 0


async def test_a_damaged_object_and_a_missing_one_leave_what_was_kept(make: Make) -> None:
    async with make(STAR_WARS, b"{").running():
        pass
    restarted = make(KeyError("gone"), b"{")
    async with restarted.running():
        assert restarted.catalogue.title("ml-50").name == "Star Wars"


async def test_a_damaged_file_costs_nothing_but_itself(make: Make) -> None:
    service = make(TransientError("S3 is away"), STAR_WARS)
    service.file.write(b"{")
    async with service.running():
        assert service.catalogue.title("ml-50").name == "Star Wars"
