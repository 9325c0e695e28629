"""What is lost of plays that end in every way, by the SDK and by each player's own CMCD: ``make bench-loss``."""

import tempfile
from pathlib import Path
from typing import Annotated

import typer
from playwright.sync_api import sync_playwright

from tests.pages import loss
from tests.pages.browser import launched

PLAYERS = ("hls", "dash", "shaka", "plain")
AWAY_S = 20


def main(
    players: Annotated[list[str] | None, typer.Argument(help="hls, dash, shaka, plain: all.")] = None,
    plays: Annotated[int, typer.Option(help="Of each player and each way to end.")] = 24,
    how: Annotated[list[str] | None, typer.Option(help=f"{', '.join(loss.KINDS)}: all.")] = None,
) -> None:
    print(f"| {' | '.join(loss.HEAD)} |", "|---" * len(loss.HEAD) + "|", sep="\n", flush=True)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        films = loss.Films.make(Path(folder), AWAY_S)
        for player in players or PLAYERS:
            for kind in how or loss.KINDS:
                with launched(playwright) as browser:
                    found = [*loss.plays_that_end(playwright, browser, films, player, kind, plays)]
                print(loss.row(player, kind, found), flush=True)


if __name__ == "__main__":
    typer.run(main)
