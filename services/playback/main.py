"""``python -m services.playback.main``: starts plays and serves the watch page, until SIGTERM."""

import asyncio
import logging

import typer

from infra.runtime import logs
from infra.runtime.settings import Settings
from infra.runtime.startup import exit_with_message, log_error, reduce_gc
from services.playback.wiring import serve


def main() -> None:
    """Serve the playback API and the watch page."""
    settings = Settings()
    logs.configure("playback", settings.log_level)
    logging.getLogger("httpx").setLevel(logging.WARNING)  # it would log every resume point
    reduce_gc()
    asyncio.run(serve(settings))


if __name__ == "__main__":
    with exit_with_message(log_error):
        typer.run(main)
