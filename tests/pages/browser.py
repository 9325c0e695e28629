"""One headless Chromium, the system's own: nothing is downloaded."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, Page, Playwright

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")


@contextmanager
def launched(playwright: Playwright) -> Iterator[Browser]:
    browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
    yield browser
    browser.close()


def settled(page: Page) -> None:
    """Until the page has drawn its first numbers; a page without any is settled once loaded."""
    page.wait_for_load_state("networkidle")
    if page.locator("#status").count():
        page.wait_for_function("document.documentElement.dataset.refreshed")
    page.wait_for_function("[...document.images].every((image) => image.complete || image.loading === 'lazy')")
