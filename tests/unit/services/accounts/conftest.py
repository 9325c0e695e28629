"""The accounts service over HTTP in memory, with real tokens and a fake store."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from domain.identity.signing import Signer
from services.accounts.routes import create_app
from services.accounts.service import AccountsService
from tests.support.fake_metrics import FakeMetrics
from tests.support.household import ADDRESS, PASSWORD, Household
from tests.support.identity import PRIVATE, verifier

HERE = "http://127.0.0.1:20005"


@dataclass
class Site:
    house: Household
    service: AccountsService
    metrics: FakeMetrics

    def client(self, address: str = "192.0.2.7", **more: Any) -> httpx.AsyncClient:
        """A browser or device with a network address."""
        transport = httpx.ASGITransport(create_app(self.service, 20005), client=(address, 1))
        return httpx.AsyncClient(
            transport=transport, base_url=HERE, headers={"Origin": HERE, "Accept": "text/html"}, **more
        )

    async def sign_up(self, client: httpx.AsyncClient, address: str = ADDRESS) -> None:
        """In a browser, through the pages."""
        await client.post("/account/sign-up", data={"address": address})
        form = {"token": self.house.last_mail().token, "password": PASSWORD, "name": "Ada", "country": "NL"}
        answer = await client.post("/account/sign-up/finish", data=form)
        assert answer.status_code == 303, answer.text

    async def tokens(self, client: httpx.AsyncClient, address: str = ADDRESS, **more: Any) -> dict[str, Any]:
        """Of a device that is no browser."""
        answer = await client.post("/v1/session", json={"address": address, "password": PASSWORD, **more})
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found


def site(on_loopback: bool = True) -> Site:
    house, metrics = Household(), FakeMetrics()
    house.rewire(Signer(PRIVATE))

    async def ready() -> None: ...

    service = AccountsService(
        house.context, house.store, verifier(lambda: house.now), "http://gateway", on_loopback, ready, metrics
    )
    return Site(house, service, metrics)


@pytest.fixture
def found() -> Site:
    return site()


@pytest.fixture
async def browser(found: Site) -> AsyncIterator[httpx.AsyncClient]:
    async with found.client() as client:
        yield client
