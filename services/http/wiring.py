"""What both processes need to run: stores that connect when they are first asked, and a server."""

import asyncio
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import TypeVar

import uvicorn
from cassandra.cluster import Session
from fastapi import FastAPI

from infra.engines.cassandra import close, connect, translate
from infra.runtime.guarded_http import GuardedProtocol
from infra.runtime.settings import Settings

T = TypeVar("T")


@asynccontextmanager
async def cassandra(settings: Settings, prepare: Callable[[Session], T]) -> AsyncIterator[Callable[[], Awaitable[T]]]:
    """A function that connects on its first call, so that a service starts while Cassandra is away.

    It returns what ``prepare`` made of the session, and raises TransientError until it can.
    """
    connecting = asyncio.Lock()
    session: Session | None = None
    prepared: list[T] = []

    async def connected() -> T:
        nonlocal session
        async with connecting:
            if session is None:
                session = await asyncio.to_thread(connect, settings)
            if not prepared:
                try:
                    prepared.append(await asyncio.to_thread(prepare, session))
                except Exception as error:
                    raise translate(error) from error
        return prepared[0]

    try:
        yield connected
    finally:
        if session is not None:
            close(session)


class _Server(uvicorn.Server):
    """Returns after a signal, where uvicorn would raise it again and so end the process: there is more to close."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        before = {each: signal.signal(each, self.handle_exit) for each in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for each, handler in before.items():
                signal.signal(each, handler)


def server(app: FastAPI, settings: Settings, port: int, host: str | None = None) -> uvicorn.Server:
    """Its ``serve()`` returns after SIGTERM or SIGINT. ``host``: where it listens, if not where all services do.

    The local gateway and the trusted proxies say for whom they ask, and whether by https."""
    config = uvicorn.Config(
        app,
        http=GuardedProtocol,
        host=host or settings.service_bind,
        port=port,
        log_config=None,
        access_log=False,
        server_header=False,
        forwarded_allow_ips=["127.0.0.1", *sorted(settings.gateway_trusted_proxies)],
        timeout_graceful_shutdown=5,
    )
    return _Server(config)
