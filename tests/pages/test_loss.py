"""No event that is older than a second is lost, however a page ends. With SOAK=1 for each player and fifty times."""

import sys

import pytest
from playwright.sync_api import Browser, Playwright

from tests.pages import loss
from tests.pages.play import begin, example
from tests.pages.watch_site import WatchSite
from tests.support.pipeline import eventually
from tests.support.soak import SOAK, repeat

pytestmark = pytest.mark.soak
PLAYERS = ("plain", "hls", "dash", "shaka") if SOAK else ("hls",)
PLAYS, AWAY_S = repeat(4, 200), repeat(5, 20)


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> loss.Films:
    return loss.Films.make(tmp_path_factory.mktemp("films"), AWAY_S)


@pytest.mark.parametrize(
    "how", [pytest.param(how, marks=pytest.mark.soak_only if how == loss.ASLEEP else ()) for how in loss.KINDS]
)
@pytest.mark.parametrize("player", PLAYERS)
def test_a_play_loses_nothing_however_it_ends(
    playwright: Playwright, browser: Browser, films: loss.Films, player: str, how: str
) -> None:
    found = [*loss.plays_that_end(playwright, browser, films, player, how, PLAYS)]
    sys.stdout.write(loss.row(player, how, found) + "\n")
    assert [one for one in found if one.lost or one.doubled] == []


def test_a_tab_that_stays_open_sends_what_a_closed_one_could_not(browser: Browser, site: WatchSite) -> None:
    site.collector_away = True
    context = browser.new_context()
    closed = begin(context, site, "hls")
    eventually(lambda: bool(closed.page.evaluate("video.currentTime > 0.5")))
    session = closed.page.evaluate("example.dataset.session")
    open_ = context.new_page()
    open_.goto(example(site, "plain"))
    closed.page.close()
    eventually(lambda: open_.evaluate("Number(waiting.textContent)") > 0)
    site.collector_away = False
    eventually(lambda: [event.event_type for event in site.plays("me").get(session, [])][-1:] == ["stopped"])
    context.close()
