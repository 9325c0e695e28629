"""Five hundred cards in a real browser: what the SDK reports as seen is what an observer in the page saw."""

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from schemas.events import Ui
from tests.pages.hidden_tab import Tab
from tests.pages.watch_site import WatchSite, served
from tests.support.identity import headers, member
from tests.support.pipeline import eventually

ROOT = Path(__file__).parents[2]
PAGE = """() => {
  document.body.innerHTML = '<i style="float: left; width: 10%; height: 120px"></i>'.repeat(500);
  const app = { app_name: "test", app_version: "1", country: "NL" };
  const client = { profile_id: "me", device_id: "tv", device_type: "tv", ...app };
  const seen = new playhead.Reporter(COLLECTOR, TOKEN, client).impressions("home");
  const cards = [...document.querySelectorAll("i")];
  cards.forEach((card, index) => {
    seen.watch(card, { title_id: `t-${index}`, row: Math.floor(index / 10), position: index % 10 });
  });
  const since = new Map();
  document.addEventListener("visibilitychange", () => since.clear());
  window.longest = cards.map(() => 0);
  const look = () => {
    cards.forEach((card, index) => {
      const { top, bottom } = card.getBoundingClientRect();
      const share = (Math.min(bottom, innerHeight) - Math.max(top, 0)) / (bottom - top);
      if (share < 0.5) since.delete(index);
      else since.set(index, since.get(index) ?? performance.now());
      if (since.has(index)) longest[index] = Math.max(longest[index], performance.now() - since.get(index));
    });
    requestAnimationFrame(look);
  };
  look();
}"""
"""The page, and its own log: for how long each card was at least half visible without a break, in milliseconds."""
SCROLL = """(async () => {
  const still = (ms) => new Promise((done) => setTimeout(done, ms));
  for (let top = FIRST; top < LAST; top += 240) {
    scrollTo(0, top);
    await still(top % 1920 ? 60 : 2000);
  }
})()"""
"""Fast, with a stop at each 1,920th line."""
MIDDLE, LAST = 2_880, 5_200
HIDDEN_S = 2
"""The cards in the middle are visible in a tab that is not."""


@pytest.fixture
def site(tmp_path: Path) -> Iterator[WatchSite]:
    with served(tmp_path) as found:
        yield found


@pytest.fixture(scope="module")
def sdk() -> str:
    """As a script that defines ``playhead``."""
    esbuild = ROOT / "clients/node_modules/.bin/esbuild"
    options = ("--bundle", "--format=iife", "--global-name=playhead", "--log-level=error")
    node = Path(sys.executable).parent / "node"
    command = (str(node), str(esbuild), str(ROOT / "clients/sdk/src/index.ts"), *options)
    return str(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def scroll(first: int, last: int) -> str:
    return SCROLL.replace("FIRST", str(first)).replace("LAST", str(last))


@pytest.mark.parametrize(
    "hidden", [pytest.param(False, id="visible"), pytest.param(True, id="hidden once", marks=pytest.mark.soak_only)]
)
def test_cards_that_are_scrolled_past_fast_are_reported_if_they_were_seen(
    browser: Browser, site: WatchSite, sdk: str, hidden: bool
) -> None:
    tab = Tab(browser, f"{site.address}/livez")
    tab.evaluate(sdk)
    token = headers(member("me"))["Authorization"].removeprefix("Bearer ")
    tab.evaluate(f"({PAGE.replace('COLLECTOR', repr(site.collector)).replace('TOKEN', repr(token))})()")
    tab.evaluate(scroll(0, MIDDLE))
    if hidden:
        tab.hide()
        time.sleep(HIDDEN_S)
        tab.show()
    tab.evaluate(scroll(MIDDLE, LAST))
    longest: list[float] = tab.evaluate("longest")
    must = {f"t-{index}" for index, ms in enumerate(longest) if ms > 1_500}
    must_not = {f"t-{index}" for index, ms in enumerate(longest) if ms < 500}

    def reported() -> list[str | None]:
        return [event.title_id for event in site.stored() if isinstance(event, Ui) and event.action == "impression"]

    eventually(lambda: must <= set(reported()))
    tab.close()
    assert len(must) >= 100
    assert must_not & set(reported()) == set()
    assert len(reported()) == len(set(reported()))
