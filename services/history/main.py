"""``python -m services.history.main``: the history API, until SIGTERM."""

import asyncio

import typer

from infra.runtime import logs
from infra.runtime.settings import Settings
from infra.runtime.startup import exit_with_message, log_error, reduce_gc
from services.history.wiring import serve


def main() -> None:
    """Serve the history API."""
    settings = Settings()
    logs.configure("history-api", settings.log_level)
    reduce_gc()
    asyncio.run(serve(settings))


if __name__ == "__main__":
    with exit_with_message(log_error):
        typer.run(main)
