"""What is lost of plays that end in every way, by the SDK and by each player's own CMCD: ``make bench-loss``."""

import tempfile
from pathlib import Path
from typing import Annotated

import typer
from playwright.sync_api import Playwright, sync_playwright

from tests.pages import loss
from tests.pages.browser import launched
from tests.pages.watch_site import CLIP_S, WatchSite, clip, make_clip, served

PLAYERS = ("hls", "dash", "shaka", "plain")
AWAY_S = 20
AT_ONCE = 8


def round_of(
    playwright: Playwright, folder: Path, site: WatchSite, player: str, how: str, times: int
) -> list[loss.Known]:
    """Plays that all end this way. ``folder``: of a browser that is killed or put to sleep."""
    if how == "browser killed":
        return loss.crash(playwright, folder, site, player, times)
    if how == "machine asleep":
        return loss.machine_sleep(playwright, folder, site, player, times)
    with launched(playwright) as browser:
        if how == "collector away":
            return loss.collector_away(browser, site, player, AWAY_S, times)
        return loss.endings(browser, site, player, how, times)


KINDS = (*loss.END, "browser killed", "collector away", "machine asleep")


def main(
    players: Annotated[list[str] | None, typer.Argument(help="hls, dash, shaka, plain: all.")] = None,
    plays: Annotated[int, typer.Option(help="Of each player and each way to end.")] = 24,
    how: Annotated[list[str] | None, typer.Option(help=f"{', '.join(KINDS)}: all.")] = None,
) -> None:
    print(f"| {' | '.join(loss.HEAD)} |", "|---" * len(loss.HEAD) + "|", sep="\n", flush=True)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        films = {seconds: make_clip(Path(folder) / str(seconds), seconds) for seconds in (CLIP_S, CLIP_S + AWAY_S)}
        for player in players or PLAYERS:
            for kind in how or KINDS:
                found: list[loss.Known] = []
                seconds = CLIP_S + AWAY_S if kind == "collector away" else CLIP_S
                with served(films[seconds]) as site:
                    site.assets = {"ml-50": clip(seconds=seconds)}
                    while len(found) < plays:
                        profile = Path(folder) / f"{player} {kind} {len(found)}"
                        found += round_of(playwright, profile, site, player, kind, min(AT_ONCE, plays - len(found)))
                print(loss.row(player, kind, found), flush=True)


if __name__ == "__main__":
    typer.run(main)
