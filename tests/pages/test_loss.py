"""No event that is older than a second is lost, however a page ends. With SOAK=1 for each player and fifty times."""

import sys
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Playwright

from tests.pages import loss
from tests.pages.watch_site import WatchSite
from tests.support.pipeline import eventually
from tests.support.soak import SOAK, repeat

pytestmark = pytest.mark.soak
AT_ONCE = 4
PLAYERS = ("plain", "hls", "dash", "shaka") if SOAK else ("hls",)
ROUNDS = repeat(1, 50)
"""Of four plays."""


def report(how: str, player: str, found: list[loss.Known]) -> None:
    """Asserts that nothing is lost or doubled, and writes a row of the table."""
    sys.stdout.write(loss.row(player, how, found) + "\n")
    assert [one for one in found if one.lost or one.doubled] == []


@pytest.mark.parametrize("how", loss.END)
@pytest.mark.parametrize("player", PLAYERS)
def test_a_page_that_ends_loses_nothing(browser: Browser, site: WatchSite, player: str, how: str) -> None:
    found = [known for _ in range(ROUNDS) for known in loss.endings(browser, site, player, how, AT_ONCE)]
    report(how, player, found)


@pytest.mark.parametrize("player", PLAYERS)
def test_a_collector_that_was_away_gets_everything(browser: Browser, site: WatchSite, player: str) -> None:
    seconds = 20 if SOAK else 5
    found = [known for _ in range(ROUNDS) for known in loss.collector_away(browser, site, player, seconds, AT_ONCE)]
    report("collector away", player, found)


@pytest.mark.parametrize("player", PLAYERS)
def test_a_browser_that_is_killed_loses_nothing(
    playwright: Playwright, site: WatchSite, tmp_path: Path, player: str
) -> None:
    found = [
        known for turn in range(ROUNDS) for known in loss.crash(playwright, tmp_path / str(turn), site, player, AT_ONCE)
    ]
    report("crash", player, found)


@pytest.mark.soak_only
@pytest.mark.parametrize("player", PLAYERS)
def test_a_machine_that_sleeps_loses_nothing(
    playwright: Playwright, site: WatchSite, tmp_path: Path, player: str
) -> None:
    found = [
        known
        for turn in range(ROUNDS)
        for known in loss.machine_sleep(playwright, tmp_path / str(turn), site, player, AT_ONCE)
    ]
    report("machine asleep", player, found)


def test_a_tab_that_stays_open_sends_what_a_closed_one_could_not(browser: Browser, site: WatchSite) -> None:
    site.collector_away = True
    context = browser.new_context()
    closed = loss.begin(context, site, "hls")
    eventually(lambda: bool(closed.page.evaluate("video.currentTime > 0.5")))
    session = closed.page.evaluate("example.dataset.session")
    open_ = context.new_page()
    open_.goto(loss.example(site, "plain"))
    closed.page.close()
    eventually(lambda: open_.evaluate("Number(waiting.textContent)") > 0)
    site.collector_away = False
    eventually(lambda: [event.event_type for event in site.plays("me").get(session, [])][-1:] == ["stopped"])
    context.close()
