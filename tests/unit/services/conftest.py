"""Both services on an invented evening, spoken to over HTTP in memory."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

import services.history.routes as history
import services.ops.routes as ops
from services.ops.pollers import Pollers
from services.ops.routes import Files
from services.ops.state import OpsState
from tests.pages.site import ECHARTS, EVENING, RUNBOOKS, pollers
from tests.support.evening import Evening
from tests.support.fake_metrics import FakeMetrics
from tests.support.identity import headers, identity, staff


@dataclass(frozen=True)
class Services:
    evening: Evening
    pollers: Pollers
    client: httpx.AsyncClient
    """Of the operations service."""
    history: httpx.AsyncClient
    """Of the history API, with the token of somebody in support."""
    metrics: FakeMetrics
    dashboards: Path
    """The folder of published days, not made yet."""

    @property
    def state(self) -> OpsState:
        return self.pollers.state


@pytest.fixture
async def services(tmp_path: Path) -> AsyncIterator[Services]:
    evening = Evening(EVENING)
    found = pollers(evening)
    metrics = FakeMetrics()

    files = Files(ECHARTS, tmp_path / "dashboards", RUNBOOKS)
    pages = ops.create_app(found.state, evening.stores, files, identity(), 20003, metrics, lambda: evening.now)
    api = history.create_app(evening.history_stores, found.state.catalogue, identity(), 20002, metrics)
    async with _client(pages, 20002) as client, _client(api, 20003) as history_client:
        history_client.headers = headers(staff("support"))
        yield Services(evening, found, client, history_client, metrics, files.dashboards)
    await found.processes.client.aclose()


def _client(app: FastAPI, port: int) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=f"http://127.0.0.1:{port}")
