"""Runs the collector until shutdown: then it is not ready, takes no new connections and finishes open requests."""

import asyncio
import contextlib
import signal
from collections.abc import Iterator

import uvicorn
from starlette.types import ASGIApp


class Shutdown:
    """A request to stop, from a signal or a failure, from any thread."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._requested = asyncio.Event()
        self.failure: str | None = None

    @property
    def draining(self) -> bool:
        return self._requested.is_set()

    def on_signals(self) -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            self._loop.add_signal_handler(number, self._requested.set)

    def fail(self, reason: str) -> None:
        self.failure = reason
        self._loop.call_soon_threadsafe(self._requested.set)

    async def requested(self) -> None:
        await self._requested.wait()


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """``Shutdown`` handles them. uvicorn would raise SIGTERM again after its graceful stop."""
        yield


async def serve(
    app: ASGIApp, http: type[asyncio.Protocol], host: str, port: int, shutdown: Shutdown, grace_s: float
) -> None:
    """Serve until ``shutdown`` is requested. Open requests then have ``grace_s`` seconds.

    ``http``: uvicorn's protocol for a connection.
    """
    server = _Server(
        uvicorn.Config(
            app,
            host=host,
            port=port,
            http=http,
            access_log=False,  # it would log ?key=
            log_config=None,
            lifespan="off",
            server_header=False,
            timeout_graceful_shutdown=int(grace_s) + 1,
        )
    )
    serving = asyncio.create_task(server.serve())
    requested = asyncio.create_task(shutdown.requested())
    await asyncio.wait((serving, requested), return_when=asyncio.FIRST_COMPLETED)
    server.should_exit = True
    await serving
    requested.cancel()
