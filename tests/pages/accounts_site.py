"""The pages of accounts in a thread, on a store in memory, for the browser."""

import asyncio
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import uvicorn

from domain.accounts.context import Client
from domain.accounts.model import Profile
from domain.accounts.profiles import Proofs
from domain.identity.signing import Signer
from services.accounts.post_office import PostOffice
from services.accounts.routes import create_app
from services.accounts.service import AccountsService
from tests.support.fake_metrics import FakeMetrics
from tests.support.household import ADDRESS, HOME, PASSWORD, Household
from tests.support.identity import PRIVATE, verifier

TELEVISION = Client("198.51.100.9", "Living room", "tv")


@dataclass
class AccountsSite:
    address: str
    house: Household
    loop: asyncio.AbstractEventLoop

    def code(self) -> str:
        """Of a television that waits."""
        return asyncio.run_coroutine_threadsafe(self.house.televisions.start(TELEVISION), self.loop).result().user_code


async def _fill(house: Household) -> None:
    """A household of three with a television."""
    session = await house.sign_up()
    account = await house.account(session)
    for profile in (
        Profile("", "Kim", "leaf", "nl", "7", kids=True),
        Profile("", "Wilhelmina van Houten-Bergsma", "moon", "nl", "16", kids=False),
    ):
        await house.profiles.add(account, profile, Proofs(PASSWORD), HOME)
    account = await house.account(session)
    await house.profiles.set_pin(account, account.profiles[2].profile_id, "2468", Proofs(PASSWORD), HOME)
    await house.sessions.sign_in(ADDRESS, PASSWORD, TELEVISION)


@contextmanager
def served() -> Iterator[AccountsSite]:
    house, metrics = Household(), FakeMetrics()
    house.rewire(Signer(PRIVATE))

    async def ready() -> None: ...

    async def kept(_: object) -> None: ...

    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = int(listener.getsockname()[1])
        address = f"http://127.0.0.1:{port}"
        service = AccountsService(
            house.context, house.store, verifier(lambda: house.now), address, True, ready, metrics
        )
        server = uvicorn.Server(uvicorn.Config(create_app(service, port), log_config=None, lifespan="off"))
        office = PostOffice(house.store, kept, True, lambda: house.now, metrics)
        loops: list[asyncio.AbstractEventLoop] = []
        begun = threading.Event()

        async def run() -> None:
            loops.append(asyncio.get_running_loop())
            await _fill(house)
            sending = asyncio.create_task(office.run())
            begun.set()
            await server.serve([listener])
            sending.cancel()

        thread = threading.Thread(target=lambda: asyncio.run(run()), daemon=True)
        thread.start()
        begun.wait(60)
        yield AccountsSite(address, house, loops[0])
        server.should_exit = True
        thread.join(60)
