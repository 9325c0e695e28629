"""``python -m services.accounts.main``: accounts, until SIGTERM."""

import asyncio

import typer

from infra.runtime import logs
from infra.runtime.settings import Settings
from infra.runtime.startup import exit_with_message, log_error, reduce_gc
from services.accounts.wiring import serve


def main() -> None:
    """Serve accounts."""
    settings = Settings()
    logs.configure("accounts", settings.log_level)
    reduce_gc()
    asyncio.run(serve(settings))


if __name__ == "__main__":
    with exit_with_message(log_error):
        typer.run(main)
