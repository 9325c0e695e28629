"""``playhead token`` and ``playhead rekey``: tokens by the stack's key file, also with every engine away."""

from typing import Annotated, cast, get_args

import typer

from domain.identity.tokens import Scope
from infra.runtime import local_tokens, sign_in_links, token_keys
from infra.runtime.settings import Settings
from infra.runtime.startup import exit_with_message, fail, print_error

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
SCOPES = get_args(Scope)


@app.callback()
def by_key_file() -> None:
    """Tokens by the stack's key file."""


@app.command()
@exit_with_message(print_error)
def token(
    profile: Annotated[list[str] | None, typer.Option(help="A member's; several are one account's.")] = None,
    account: Annotated[
        str | None, typer.Option(help="The member's account; default: one of the profile's name.")
    ] = None,
    scope: Annotated[list[str] | None, typer.Option(help=f"For staff: {', '.join(SCOPES)}.")] = None,
    hours: Annotated[float, typer.Option(min=0.01, max=24, help="How long it holds.")] = 12,
    link: Annotated[
        bool, typer.Option("--link", help="Print an address that signs a browser in, once, here only.")
    ] = False,
    to: Annotated[str, typer.Option(help="The page that the link leads to.")] = "/watch/ml-50",
) -> None:
    """Print a token: of a member, for this machine's own use, or of the staff."""
    if bool(profile) is bool(scope):
        fail("Pass either --profile or --scope.")
    settings = Settings()
    token_keys.ensure(settings)
    claims = local_tokens.member(profile, account, hours) if profile else local_tokens.staff(known(scope or []), hours)
    signed = token_keys.signer(settings).sign(claims)
    if not link:
        typer.echo(signed)
    elif not profile or not settings.on_loopback:
        fail("A link is a member's, and only where PLAYHEAD_BIND is a loopback address.")
    else:
        typer.echo(sign_in_links.make(settings, sign_in_links.SignIn(signed, to)))


@app.command()
@exit_with_message(print_error)
def rekey(
    finish: Annotated[bool, typer.Option("--finish", help="Refuse tokens of all keys but the newest.")] = False,
) -> None:
    """Sign tokens with a new key. Tokens of the key before it hold until --finish."""
    settings = Settings()
    if finish:
        token_keys.retire(settings)
        typer.echo("Tokens of earlier keys are refused within 10 seconds.")
    else:
        token_keys.rotate(settings)
        typer.echo("Restart what signs: playback, accounts. A day later: playhead rekey --finish")


def known(scopes: list[str]) -> list[Scope]:
    named = [scope for each in scopes for scope in each.split(",")]
    if unknown := [scope for scope in named if scope not in SCOPES]:
        fail(f"unknown scope {unknown[0]!r}: choose from {', '.join(SCOPES)}")
    return cast(list[Scope], named)
