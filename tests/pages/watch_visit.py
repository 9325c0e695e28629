"""A visit to the watch page: waiting for it, and its own log of what it reported."""

import time
from typing import Any

from playwright.sync_api import Browser, Page

from infra.runtime.settings import Settings
from tests.pages.browser import PATIENCE_MS
from tests.support.identity import sign_in

LOG = """document.addEventListener("playhead", (event) => {
  const log = JSON.parse(localStorage.getItem("log") ?? "[]");
  localStorage.setItem("log", JSON.stringify([...log, event.detail]));
}, true)"""
"""Writes the page's own log of what it reports, where it outlives the page."""
TOTALS = ("playhead_ms", "watched_ms", "paused_ms", "rebuffer_count", "rebuffer_ms", "seek_count")


def visit(browser: Browser, address: str, profile: str = "me", settings: Settings | None = None) -> Page:
    """The page on a new device that signed in, with a log. ``settings``: of the stack, where there is one."""
    context = browser.new_context(viewport={"width": 1024, "height": 768})
    sign_in(context, profile, settings)
    context.add_init_script(LOG)
    page = context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    page.goto(address)
    return page


def until(page: Page, condition: str) -> None:
    """Returns once the page's expression is true. The page's policy forbids the browser's own way of waiting."""
    deadline = time.monotonic() + PATIENCE_MS / 1000
    while not page.evaluate(condition):
        assert time.monotonic() < deadline, f"still not true: {condition}"
        page.wait_for_timeout(50)


def played_to(page: Page, seconds: float) -> None:
    until(page, f"video.currentTime >= {seconds}")


def left(page: Page) -> list[dict[str, Any]]:
    """Leaves the page and the device. Returns what the page reported of its play.

    The context stays until the browser ends: closing it would cut off the request that the page sends while it goes.
    """
    origin = page.evaluate("location.origin")
    page.close()
    reader = page.context.new_page()
    reader.goto(f"{origin}/livez")
    events = reported(reader)
    reader.close()
    return events


def reported(page: Page) -> list[dict[str, Any]]:
    """What the pages of this device have reported of their plays."""
    events: list[dict[str, Any]] = page.evaluate("JSON.parse(localStorage.getItem('log') ?? '[]')")
    return [event for event in events if event["family"] == "playback"]
