"""One headless Chromium, the system's own: nothing is downloaded."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

from playwright.sync_api import Browser, ConsoleMessage, Page, Playwright

PATIENCE_MS = 240_000
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")

OVERFLOW = """() => {
  const width = document.documentElement.clientWidth;
  const wide = [...document.querySelectorAll("body *")].filter((e) => e.getBoundingClientRect().right > width + 1);
  return document.documentElement.scrollWidth > width ? wide.map((e) => e.outerHTML.slice(0, 80)) : [];
}"""
"""The elements that stick out to the right, as text; empty when the page fits."""


@contextmanager
def launched(playwright: Playwright) -> Iterator[Browser]:
    arguments = ["--no-sandbox", "--disable-gpu"]
    browser = playwright.chromium.launch(executable_path=CHROMIUM, args=arguments, timeout=PATIENCE_MS)
    yield browser
    browser.close()


def settled(page: Page) -> None:
    """Until the page has drawn its first numbers; a page without any is settled once loaded."""
    page.wait_for_load_state("networkidle")
    if page.locator("#status").count():
        page.wait_for_function("document.documentElement.dataset.refreshed")
    page.wait_for_function("[...document.images].every((image) => image.complete || image.loading === 'lazy')")


def opened(browser: Browser, address: str, width: int, scheme: str, complaints: list[str]) -> Page:
    """A settled page; console messages and failures go into ``complaints``."""

    def heard(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            complaints.append(message.text)

    look: Literal["dark", "light"] = "dark" if scheme == "dark" else "light"
    page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=look)
    page.set_default_timeout(PATIENCE_MS)
    page.on("console", heard)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("response", lambda r: complaints.append(f"{r.status} {r.url}") if r.status >= 400 else None)
    page.goto(address)
    settled(page)
    return page
