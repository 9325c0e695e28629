"""Streams at once in a real browser: who may play, what a refused page offers, and when a slot becomes free."""

from playwright.sync_api import Browser, Page

from tests.pages.browser import OVERFLOW, opened
from tests.pages.watch_site import WatchSite
from tests.pages.watch_visit import played_to, until, visit

REFUSED = "All streams of your plan are in use."


def playing(browser: Browser, site: WatchSite) -> Page:
    """A device that plays, over and over again: the clip is short."""
    page = visit(browser, f"{site.address}/watch/ml-50")
    page.click("#start")
    played_to(page, 0.1)
    return page


def refused(page: Page, words: str = REFUSED) -> None:
    """Returns once the page says that it may not play."""
    until(page, f"document.getElementById('problem-title').textContent === {words!r}")
    assert page.evaluate("video.paused")


def until_free(page: Page, site: WatchSite) -> None:
    """Returns once all slots are free. The page's requests are answered meanwhile."""
    while any(row.until > site.slots.now() for row in site.slots.rows.values()):
        page.wait_for_timeout(100)


def test_a_page_that_finds_no_slot_says_who_watches_and_stops_them_on_request(
    browser: Browser, site: WatchSite
) -> None:
    site.allowed = 1
    there, here = playing(browser, site), visit(browser, f"{site.address}/watch/ml-50")
    here.click("#start")
    refused(here)
    row = here.locator("#watching li")
    assert row.locator("b").inner_text() == "Star Wars"
    assert "me on Chrome on Linux, since " in row.inner_text()
    assert here.evaluate(OVERFLOW) == []
    here.get_by_role("button", name="Stop watching Star Wars on Chrome on Linux").click()
    played_to(here, 0.1)
    refused(there, "This stream has stopped.")
    assert "was stopped to watch Star Wars on Chrome on Linux" in there.locator("#problem-text").inner_text()
    assert there.locator("#watching li").count() == 0


def test_the_refusal_fits_a_phone(browser: Browser, site: WatchSite) -> None:
    site.allowed = 2
    _, _ = playing(browser, site), playing(browser, site)
    page = opened(browser, f"{site.address}/watch/ml-50", 390, "dark", [])
    page.click("#start")
    refused(page)
    assert page.locator("#watching li").count() == 2
    assert page.evaluate(OVERFLOW) == []
    assert page.evaluate("problem.scrollHeight <= player.clientHeight")


def test_a_page_that_is_left_makes_room_at_once(browser: Browser, site: WatchSite) -> None:
    site.allowed = 1
    playing(browser, site).goto(f"{site.address}/livez")
    playing(browser, site)


def test_a_page_keeps_its_slot_beyond_a_lease_and_one_that_is_cut_off_frees_it(
    browser: Browser, site: WatchSite
) -> None:
    site.allowed = 1
    page = playing(browser, site)
    (row,) = site.slots.rows.values()
    taken_until = row.until
    while row.until == taken_until:
        page.wait_for_timeout(100)
    page.context.set_offline(True)
    until_free(page, site)
    playing(browser, site)


def test_a_page_that_stays_paused_gives_its_slot_back_and_asks_for_it_again(browser: Browser, site: WatchSite) -> None:
    site.allowed, site.slots.pause_s = 1, 1
    paused = playing(browser, site)
    paused.keyboard.press(" ")
    until(paused, "video.paused")
    until_free(paused, site)
    playing(browser, site)
    paused.keyboard.press(" ")
    refused(paused, "This stream has stopped.")
    assert paused.locator("#watching li").count() == 1
