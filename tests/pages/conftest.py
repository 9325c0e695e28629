"""A browser, and the watch page with a clip. Modules about other pages have a ``site`` for these."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Playwright, sync_playwright

from tests.pages.browser import launched
from tests.pages.watch_site import WatchSite, make_clip, served

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as found:
        yield found


@pytest.fixture(scope="module")
def browser(playwright: Playwright) -> Iterator[Browser]:
    with launched(playwright) as found:
        yield found


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The clip's."""
    return make_clip(tmp_path_factory.mktemp("clip"))


@pytest.fixture
def site(folder: Path) -> Iterator[WatchSite]:
    with served(folder) as found:
        yield found


@pytest.fixture(scope="module")
def sdk() -> str:
    """As a script that defines ``playhead``."""
    esbuild = ROOT / "clients/node_modules/.bin/esbuild"
    options = ("--bundle", "--format=iife", "--global-name=playhead", "--log-level=error")
    node = Path(sys.executable).parent / "node"
    command = (str(node), str(esbuild), str(ROOT / "clients/sdk/src/index.ts"), *options)
    return str(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
