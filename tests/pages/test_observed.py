"""A play with a pause, a stall and a seek: the SDK reports what an observer in the page saw."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.pages.observer import compared, observed
from tests.pages.watch_site import WatchSite, clip, make_clip
from tests.pages.watch_visit import played_to, until

FILM_S, KBPS = 24, 1_500
SURE_MS, PERHAPS_MS = 1_000, 100
"""A stall of the first length counts, one below the second does not. The limit of the SDK is between."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of a clip that a slow line cannot carry."""
    return make_clip(tmp_path_factory.mktemp("clip"), FILM_S, KBPS)


def test_what_the_sdk_reports_is_what_an_observer_in_the_page_saw(browser: Browser, site: WatchSite) -> None:
    site.assets = {"ml-50": clip(seconds=FILM_S, kbps=KBPS)}
    site.line.mbit_per_s = 10
    page = observed(browser, f"{site.address}/examples/hls?title=ml-50&report=sdk")
    played_to(page, 0.5)
    site.line.mbit_per_s = 0.1
    page.evaluate("video.pause()")
    page.wait_for_timeout(300)
    page.evaluate("video.play()")
    until(page, f"seen().stalls.at(-1) > {SURE_MS}")
    site.line.mbit_per_s = 20
    until(page, "seen().stalls.length && video.readyState > 2")
    page.evaluate(f"video.currentTime = {FILM_S - 2}")
    until(page, "video.ended")

    last = compared(page)[-1]
    assert last.sdk["event_type"] == "ended"
    assert 1 <= len(last.stalls(SURE_MS)) <= last.sdk["rebuffer_count"] <= len(last.stalls(PERHAPS_MS))
    assert last.sdk["seek_count"] == last.seen["seek_count"] == 1
    assert {name: ms for name, ms in last.difference_ms.items() if abs(ms) > 1_000} == {}
