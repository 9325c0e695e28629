"""Runs a Faust app as a process of ours: stops gracefully on SIGTERM, dies loudly on a crash.

Faust's own worker is not used: it takes over logging and standard output, and would exit 0 after some crashes.
"""

import asyncio
import signal

import faust
import structlog

log = structlog.get_logger(__name__)


async def serve(app: faust.App) -> None:
    """Until SIGTERM or SIGINT: then the acknowledged offsets are committed and the group is left. Raises on a crash."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, stop.set)
    app.in_worker = True
    await app.start()
    log.info("ready")
    await app.wait_first(stop.wait())
    log.info("stopping")
    await app.stop()
    if app.crash_reason:
        raise app.crash_reason
