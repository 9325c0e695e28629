"""Run the collector until it is told to stop: then not ready, no new connections, what was taken is answered."""

import asyncio
import contextlib
import signal
from collections.abc import Iterator

import uvicorn
from starlette.types import ASGIApp


class Stopper:
    """One wish to stop, from a signal or from a failure, from any thread."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._wanted = asyncio.Event()
        self.failure: str | None = None

    @property
    def draining(self) -> bool:
        return self._wanted.is_set()

    def on_signals(self) -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            self._loop.add_signal_handler(number, self._wanted.set)

    def fail(self, reason: str) -> None:
        self.failure = reason
        self._loop.call_soon_threadsafe(self._wanted.set)

    async def wanted(self) -> None:
        await self._wanted.wait()


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Ours are handled by the Stopper: uvicorn would raise SIGTERM again after its graceful stop."""
        yield


async def serve(app: ASGIApp, host: str, port: int, stopper: Stopper, patience: float) -> None:
    """Serve until the stopper wants an end; then requests have ``patience`` seconds to be answered."""
    server = _Server(
        uvicorn.Config(
            app,
            host=host,
            port=port,
            http="httptools",
            access_log=False,  # a line a request, and ?key= would stand in it
            log_config=None,
            lifespan="off",
            server_header=False,
            timeout_graceful_shutdown=int(patience) + 1,
        )
    )
    serving = asyncio.create_task(server.serve())
    wish = asyncio.create_task(stopper.wanted())
    await asyncio.wait((serving, wish), return_when=asyncio.FIRST_COMPLETED)
    server.should_exit = True
    await serving
    wish.cancel()
