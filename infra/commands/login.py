"""``playhead login``: signs a browser in as a member who has no password, such as the demo's."""

import asyncio
import secrets
from typing import Annotated

import typer

from domain.accounts.registration import HOUR_MS, TOKEN_BYTES, new_token, opened_by
from domain.clock import system_clock
from infra.engines.mariadb import connect
from infra.runtime.settings import Settings
from infra.runtime.startup import exit_with_message, fail, print_error
from infra.stores.accounts_mariadb import MariaDbAccounts

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)


@app.callback()
def links() -> None:
    """Links that sign in."""


@app.command("login")
@exit_with_message(print_error)
def login(
    profile: Annotated[str, typer.Argument(help="A profile of the account, for example ml-387.", show_default=False)],
) -> None:
    """Print a link that signs a browser in as a member, once, within an hour. Only where PLAYHEAD_BIND is a loopback
    address."""
    settings = Settings()
    if not settings.on_loopback:
        fail(f"PLAYHEAD_BIND={settings.bind}: such links work on a loopback address only.")
    token = asyncio.run(_opened(settings, profile))
    if token is None:
        fail(f"No account has the profile {profile}. `playhead simulate accounts` makes those of the demo.")
    typer.echo(f"{settings.gateway}/account/link?token={token}")


async def _opened(settings: Settings, profile: str) -> str | None:
    """The token of the link; None if there is no such profile."""
    database = connect(settings, "accounts")
    try:
        store = MariaDbAccounts(database)
        account = await store.by_profile(profile)
        if account is None:
            return None
        token = new_token(secrets.token_bytes(TOKEN_BYTES))
        await store.open(opened_by(token, "link", account.address, account, system_clock() + HOUR_MS), None)
        return token
    finally:
        await database.close()
