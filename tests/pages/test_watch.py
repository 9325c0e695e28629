"""The watch page in a real browser: what it plays is what it reports, and what comes back on the next device."""

import re
import time
from typing import Any

import pytest
from playwright.sync_api import Browser

from schemas.events import Error, Playback
from tests.pages.browser import OVERFLOW, PATIENCE_MS, opened
from tests.pages.watch_site import CLIP_S, WatchSite, clip
from tests.pages.watch_visit import left, played_to, until, visit
from tests.support.pipeline import eventually

TOKEN = r"[\w-]{20,}\.[\w-]{43}"
"""Of a path."""
COMPARED = (
    "seq",
    "event_type",
    "player_state",
    "playhead_ms",
    "watched_ms",
    "paused_ms",
    "rebuffer_count",
    "seek_count",
)


def stored(site: WatchSite, log: list[dict[str, Any]]) -> list[Playback]:
    """The one play of the log as the collector has it, once it has all."""
    (session,) = {event["playback_session_id"] for event in log}
    deadline = time.monotonic() + PATIENCE_MS / 1000
    while len(play := site.plays("me").get(session, [])) < len(log):
        assert time.monotonic() < deadline, f"{len(play)} of {len(log)} events came"
        time.sleep(0.05)
    return play


def test_a_play_with_pause_and_seek_is_stored_as_the_page_reports_it(browser: Browser, site: WatchSite) -> None:
    page = visit(browser, f"{site.address}/watch/ml-50")
    page.click("#start")
    played_to(page, 1)
    page.keyboard.press(" ")
    until(page, "video.paused")
    page.wait_for_timeout(300)
    page.keyboard.press(" ")
    until(page, "!video.paused")
    page.evaluate("video.currentTime = 8")
    until(page, "video.ended")
    log = left(page)
    play = stored(site, log)

    assert [{name: getattr(event, name) for name in COMPARED} for event in play] == [
        {name: event[name] for name in COMPARED} for event in log
    ]
    types = [event.event_type for event in play]
    assert [types[0], types[1], types[-1]] == ["play_requested", "first_frame", "ended"]
    assert [name for name in types if name in ("paused", "resumed", "seeked")] == ["paused", "resumed", "seeked"]
    assert (play[-1].seek_count, play[-1].player_state, play[-1].playhead_ms) == (1, "stopped", CLIP_S * 1000)
    assert play[-1].paused_ms > 0
    assert play[-1].watched_ms < 8_000, "what was skipped was not watched"
    assert (play[-1].startup_time_ms or 0) > 0


def test_a_play_that_is_left_goes_on_at_its_last_position_on_another_device(browser: Browser, site: WatchSite) -> None:
    first = visit(browser, f"{site.address}/watch/ml-50")
    first.click("#start")
    played_to(first, 3)
    last = stored(site, left(first))[-1]
    assert (last.event_type, last.player_state) == ("stopped", "stopped")
    assert last.playhead_ms >= 3_000

    second = visit(browser, f"{site.address}/watch/ml-50")
    assert second.locator("#start").inner_text() == "Resume"
    second.click("#start")
    played_to(second, last.playhead_ms / 1000)
    assert second.locator("#toast").inner_text().startswith("Resumed at 0:0")
    until(second, "player.dataset.session")
    session = second.evaluate("player.dataset.session")
    eventually(lambda: session in site.plays("me"))
    again = site.plays("me")[session]
    assert again[0].playhead_ms == last.playhead_ms
    assert again[0].device_id != last.device_id
    assert again[0].session_started_at > last.session_started_at


def test_what_was_fetched_plays_on_without_the_edge_and_then_the_page_says_what_happened(
    browser: Browser, site: WatchSite
) -> None:
    page = visit(browser, f"{site.address}/watch/ml-50")
    page.route("**/6.m4s", lambda route: route.abort() if site.edge_away else route.continue_())
    page.route("**/english-6.m4s", lambda route: route.abort())
    page.click("#start")
    played_to(page, 1)
    site.edge_away = True
    played_to(page, 3)
    page.wait_for_selector("#problem:visible")
    assert page.locator("#problem-title").inner_text() == "The video stopped."
    session = page.locator("#problem-session").inner_text()
    play = stored(site, left(page))
    assert session == play[-1].playback_session_id
    assert (play[-1].event_type, play[-1].error_fatal) == ("error", True)
    texts = [event.message for event in site.events() if isinstance(event, Error)]
    assert texts
    assert [text for text in texts if re.search(TOKEN, text)] == []


def test_a_player_that_cannot_be_loaded_is_a_play_that_failed(browser: Browser, site: WatchSite) -> None:
    page = visit(browser, f"{site.address}/watch/ml-50")
    page.route("**/bundle/hls-*.js", lambda route: route.abort())
    page.reload()
    page.click("#start")
    page.wait_for_selector("#problem:visible")
    assert page.locator("#problem-title").inner_text() == "The player could not be loaded."
    last = stored(site, left(page))[-1]
    assert (last.event_type, last.error_code, last.error_fatal) == ("error", "watch.load", True)


def test_a_title_without_a_video_plays_the_clip_and_says_so(browser: Browser, site: WatchSite) -> None:
    site.assets = {"demo-clip": clip("demo-clip")}
    page = visit(browser, f"{site.address}/watch/ml-1")
    assert "Toy Story has no video here." in page.locator(".notice").inner_text()
    assert "© Somebody, CC BY 3.0" in page.locator("main").inner_text()
    page.click("#start")
    played_to(page, 0.5)
    assert {event["title_id"] for event in left(page)} == {"ml-1"}


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1440])
def test_the_page_fits_and_the_console_is_silent(browser: Browser, site: WatchSite, width: int, scheme: str) -> None:
    complaints: list[str] = []
    page = opened(browser, f"{site.address}/watch/ml-50", width, scheme, complaints)
    page.click("#start")
    played_to(page, 0.5)
    assert page.evaluate(OVERFLOW) == []
    names = page.evaluate("[...document.querySelectorAll('button')].map((e) => e.ariaLabel || e.textContent.trim())")
    assert "" not in names, "each button has a name"
    page.close()
    assert complaints == []
