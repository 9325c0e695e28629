"""``python -m services.ops.main``: the live page, support, reports and the pipeline's health, until SIGTERM."""

import asyncio
import logging

import typer

from infra.runtime import logs
from infra.runtime.settings import Settings
from infra.runtime.startup import exit_with_message, log_error, reduce_gc
from services.ops.wiring import serve


def main() -> None:
    """Serve the operations pages."""
    settings = Settings()
    logs.configure("ops", settings.log_level)
    for chatty in ("httpx", "httpx2"):  # they would log every poll of every process
        logging.getLogger(chatty).setLevel(logging.WARNING)
    reduce_gc()
    asyncio.run(serve(settings))


if __name__ == "__main__":
    with exit_with_message(log_error):
        typer.run(main)
