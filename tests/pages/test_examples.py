"""The example pages in a real browser: each player plays, and all that it and the SDK send is accounted for."""

import pytest
from playwright.sync_api import Browser, Page

from domain.metrics import CMCD_LINES
from schemas.events import Playback
from tests.pages.browser import OVERFLOW, opened
from tests.pages.watch_site import WatchSite
from tests.support.pipeline import eventually


def rows(page: Page, by: str) -> list[str]:
    """What the page shows as sent, oldest first."""
    found: list[list[str]] = page.evaluate("[...log.rows].map((row) => [...row.cells].map((cell) => cell.textContent))")
    return [text for _, who, text in reversed(found) if who == by]


@pytest.mark.parametrize("player", ["plain", "hls", "dash", "shaka"])
def test_a_player_plays_and_all_that_it_sends_is_accounted_for(browser: Browser, site: WatchSite, player: str) -> None:
    complaints: list[str] = []
    width = 390 if player == "hls" else 1440
    page = opened(browser, f"{site.address}/examples/{player}?title=ml-50", width, "light", complaints)
    page.click("#start")
    eventually(lambda: bool(page.evaluate("video.currentTime >= 3")))
    page.evaluate("video.pause()")
    eventually(lambda: "paused" in rows(page, "SDK")[-1])
    session = page.evaluate("example.dataset.session")

    def stored() -> list[Playback]:
        found = [each for each in site.events() if isinstance(each, Playback)]
        return [event for event in found if event.playback_session_id == session]

    eventually(lambda: [str(event.seq) for event in stored()] == [text.partition(" ")[0] for text in rows(page, "SDK")])
    play = stored()
    assert [play[0].event_type, play[1].event_type, play[-1].event_type] == ["play_requested", "first_frame", "paused"]
    assert bool(rows(page, "CMCD")) == (player != "plain")
    eventually(lambda: site.metrics.total(CMCD_LINES) == len(rows(page, "CMCD")))
    assert site.metrics.by(CMCD_LINES, "verdict").keys() <= {"accepted", "repeated"}
    assert page.evaluate(OVERFLOW) == []
    assert complaints == []
