"""What the SDK reports of a play, next to an independent observer in the same page: ``make bench-players``.

Each player plays over an edge on a line of 10, 1 and 10 Mbit/s, with a pause, a seek, and segments that are a 404.
"""

import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from playwright.sync_api import Browser, Page, sync_playwright

from tests.pages.browser import launched
from tests.pages.observer import Compared, compared, observed
from tests.pages.watch_site import SEGMENT_S, WatchSite, clip, make_clip, served

FILM_S, KBPS = 90, 2_000
"""The higher quality has twice as many: 1 Mbit/s is too little for each."""
FAST, SLOW = 10.0, 1.0
PLAYERS = ("hls", "dash", "shaka", "plain")
PATIENCE_S, STALLS_S = 20, 60
FIGURES = {"watched": "watched_ms", "start-up": "startup_time_ms", "stalled": "rebuffer_ms", "paused": "paused_ms"}


def play(browser: Browser, site: WatchSite, player: str) -> list[Compared]:
    """From the press of play until the last pause, or the error that ended it."""
    site.line.mbit_per_s, site.missing = FAST, set()
    page = observed(browser, f"{site.address}/examples/{player}?title=ml-50&report=sdk")
    _on(page, 4)
    _pause(page, 2_000)
    site.line.mbit_per_s = SLOW
    _wait(page, "over() || seen().stalls.length >= 2", STALLS_S)
    site.line.mbit_per_s = FAST
    _on(page, 4)
    page.evaluate("video.currentTime = Math.max(video.currentTime, video.buffered.end(video.buffered.length - 1)) + 6")
    _on(page, 2)
    with _missing(page, site, qualities=(2,)):
        _on(page, 2 * SEGMENT_S)
    with _missing(page, site, qualities=(1, 2)):
        _wait(page, "over() || video.readyState < 3")
        page.wait_for_timeout(3_000)
    _wait(page, "over() || video.readyState > 2")
    page.evaluate("video.pause()")
    _wait(page, "over() || compared.at(-1).sdk.event_type === 'paused'")
    found = compared(page)
    page.close()
    return found


def _on(page: Page, seconds: float) -> None:
    """Lets it play on."""
    _wait(page, f"over() || video.currentTime >= {page.evaluate('video.currentTime') + seconds}")


def _pause(page: Page, ms: int) -> None:
    page.evaluate("video.pause()")
    page.wait_for_timeout(ms)
    page.evaluate("video.play()")


def _wait(page: Page, condition: str, seconds: float = PATIENCE_S) -> None:
    """Some players give up, some go on: either is fine."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and not page.evaluate(condition):
        page.wait_for_timeout(50)


@contextmanager
def _missing(page: Page, site: WatchSite, qualities: tuple[int, ...]) -> Iterator[None]:
    """All that the player does not have yet of these is a 404."""
    first = int(page.evaluate("video.buffered.end(video.buffered.length - 1)") / SEGMENT_S) + 1
    site.missing = {f"q{quality}/{number}.m4s" for quality in qualities for number in range(first, FILM_S)}
    yield
    site.missing = set()


def rows(player: str, found: list[Compared]) -> Iterator[str]:
    last = found[-1]
    stalls = last.stalls()
    for name, figure in FIGURES.items():
        sdk, difference = last.sdk[figure] or 0, last.difference_ms[figure]
        most = max(abs(one.difference_ms[figure]) for one in found)
        yield f"| {player} | {name} | {sdk} | {sdk - difference:.0f} | {difference:+.0f} | {most:.0f} |"
    for name, figure, seen in (
        ("stalls", "rebuffer_count", len(stalls)),
        ("seeks", "seek_count", last.seen["seek_count"]),
    ):
        yield f"| {player} | {name} | {last.sdk[figure]} | {seen} | {last.sdk[figure] - seen:+d} | |"
    yield f"| {player} | last event | {last.sdk['event_type']} {last.sdk['error_code'] or ''} | | | |"


def main(players: Annotated[list[str] | None, typer.Argument(help="hls, dash, shaka, plain: all.")] = None) -> None:
    print("| player | milliseconds, or number | SDK | observer | difference at the end | most at any event |")
    print("|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright, launched(playwright) as browser:
        make_clip(Path(folder), FILM_S, KBPS)
        with served(Path(folder)) as site:
            site.assets = {"ml-50": clip(seconds=FILM_S, kbps=KBPS)}
            for player in players or PLAYERS:
                print(*rows(player, play(browser, site, player)), sep="\n", flush=True)


if __name__ == "__main__":
    typer.run(main)
