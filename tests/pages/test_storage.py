"""What the SDK keeps in a browser that denies a part of it, after a refusal, and when somebody deletes it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from schemas.events import Ui
from tests.pages.play import UNSENT
from tests.pages.watch_site import WatchSite, served
from tests.support.identity import headers, member
from tests.support.pipeline import eventually

BEGIN = """([collector, token, consent]) => {
  const app = { app_name: "test", app_version: "1", country: "NL" };
  const client = { profile_id: "me", device_id: "tv", device_type: "tv", ...app };
  window.reporter = new playhead.Reporter(collector, token, client, { consent });
}"""
DENIED = """Object.defineProperty(window, "localStorage", {
  get() { throw new DOMException("Access is denied.", "SecurityError"); },
})"""
DELETE = """new Promise((resolve) => {
  const deleting = indexedDB.deleteDatabase("playhead");
  deleting.onsuccess = () => resolve("deleted");
  deleting.onblocked = () => resolve("blocked");
})"""


@pytest.fixture
def site(tmp_path: Path) -> Iterator[WatchSite]:
    with served(tmp_path) as found:
        yield found


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    """Of pages that may do what their policy forbids."""
    found = browser.new_context(bypass_csp=True)
    yield found
    found.close()


def begin(context: BrowserContext, site: WatchSite, sdk: str, *, consent: bool = True) -> Page:
    """A page with a ``reporter``."""
    page = context.new_page()
    page.goto(f"{site.address}/livez")
    page.add_script_tag(content=sdk)
    token = headers(member("me"))["Authorization"].removeprefix("Bearer ")
    page.evaluate(BEGIN, [site.collector, token, consent])
    return page


def view(page: Page, name: str) -> None:
    page.evaluate("(page) => reporter.ui('view', { page })", name)


def leave_unsent(context: BrowserContext, site: WatchSite, sdk: str) -> None:
    """A page that ended while the collector was away. It viewed ``early``."""
    site.collector_away = True
    page = begin(context, site, sdk)
    view(page, "early")
    eventually(lambda: page.evaluate(UNSENT) == 1)
    page.close()
    eventually(lambda: any("key=" in query for query in site.turned_away))  # its last words were heard by nobody
    site.collector_away = False


def views(site: WatchSite) -> set[str]:
    """What was viewed, by what arrived."""
    return {event.page for event in site.stored() if isinstance(event, Ui)}


def test_a_browser_that_keeps_a_database_alone_sends_what_it_keeps(
    context: BrowserContext, site: WatchSite, sdk: str
) -> None:
    leave_unsent(context, site, sdk)
    context.add_init_script(DENIED)
    begin(context, site, sdk)
    eventually(lambda: views(site) == {"early"})


def test_a_refusal_forgets_what_an_earlier_page_left(context: BrowserContext, site: WatchSite, sdk: str) -> None:
    leave_unsent(context, site, sdk)
    page = begin(context, site, sdk, consent=False)
    page.evaluate("reporter.consent(false)")
    eventually(lambda: page.evaluate(UNSENT) == 0)
    view(begin(context, site, sdk), "late")
    eventually(lambda: "late" in views(site))
    assert views(site) == {"late"}


def test_who_deletes_the_database_does_not_wait_for_a_page_that_uses_it(
    context: BrowserContext, site: WatchSite, sdk: str
) -> None:
    page = begin(context, site, sdk)
    eventually(lambda: page.evaluate("navigator.locks.query().then(({ held }) => held.length)") == 1)
    assert page.evaluate(DELETE) == "deleted"
    view(page, "later")
    eventually(lambda: "later" in views(site))
