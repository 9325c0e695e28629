"""The services on an invented evening, spoken to over HTTP in memory."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import httpx
import pytest

from services.app import create_app
from services.dashboard.board import Board
from services.dashboard.gather import Gatherers
from tests.evening import Evening
from tests.pages.site import ECHARTS, EVENING, gatherers


@dataclass(frozen=True)
class Services:
    evening: Evening
    gather: Gatherers
    client: httpx.AsyncClient
    answers: list[tuple[str, int]]
    """(route, status) of every answer."""

    @property
    def board(self) -> Board:
        return self.gather.board


@pytest.fixture
async def services() -> AsyncIterator[Services]:
    evening = Evening(EVENING)
    gather = gatherers(evening)
    answers: list[tuple[str, int]] = []

    class Counted:
        def answered(self, route: str, status: int, seconds: float) -> None:
            answers.append((route, status))

    app = create_app(gather.board, evening.history, evening.recommendations, Counted(), ECHARTS, lambda: evening.now)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://services") as client:
        yield Services(evening, gather, client, answers)
    await gather.processes.client.aclose()
