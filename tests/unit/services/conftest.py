"""The services on an invented evening, spoken to over HTTP in memory."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from services.app import create_app
from services.ops.pollers import Gatherers
from services.ops.routes import Files
from services.ops.state import Board
from tests.pages.site import ECHARTS, EVENING, RUNBOOKS, gatherers
from tests.support.evening import Evening
from tests.support.fake_metrics import FakeMetrics


@dataclass(frozen=True)
class Services:
    evening: Evening
    gather: Gatherers
    client: httpx.AsyncClient
    metrics: FakeMetrics
    """(route, status) of every answer."""
    dashboards: Path
    """The folder of published days, not made yet."""

    @property
    def board(self) -> Board:
        return self.gather.board


@pytest.fixture
async def services(tmp_path: Path) -> AsyncIterator[Services]:
    evening = Evening(EVENING)
    gather = gatherers(evening)
    metrics = FakeMetrics()

    files = Files(ECHARTS, tmp_path / "dashboards", RUNBOOKS)
    app = create_app(gather.board, evening.reads, metrics, files, lambda: evening.now)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://services") as client:
        yield Services(evening, gather, client, metrics, files.dashboards)
    await gather.processes.client.aclose()
