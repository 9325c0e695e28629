"""Five hundred cards in a real browser: what the SDK reports as seen is what an observer in the page saw."""

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

PAGE = """() => {
  document.body.innerHTML = '<i style="float: left; width: 10%; height: 120px"></i>'.repeat(500);
  const app = { app_name: "test", app_version: "1", country: "NL" };
  const client = { profile_id: "me", device_id: "tv", device_type: "tv", ...app };
  const impressions = new playhead.Reporter(COLLECTOR, TOKEN, client).impressions("home");
  const cards = [...document.querySelectorAll("i")];
  cards.forEach((card, index) => {
    impressions.watch(card, { title_id: `t-${index}`, row: Math.floor(index / 10), position: index % 10 });
  });
  const seen = new Map();
  let lookedAt = performance.now();
  window.least = cards.map(() => 0);
  window.most = cards.map(() => 0);
  const gone = (index) => {
    if (seen.has(index)) most[index] = Math.max(most[index], performance.now() - seen.get(index).after);
    seen.delete(index);
  };
  document.addEventListener("visibilitychange", () => {
    cards.forEach((_, index) => gone(index));
    lookedAt = performance.now();
  });
  const look = () => {
    const now = performance.now();
    cards.forEach((card, index) => {
      const { top, bottom } = card.getBoundingClientRect();
      if ((Math.min(bottom, innerHeight) - Math.max(top, 0)) / (bottom - top) < 0.5) return gone(index);
      if (!seen.has(index)) seen.set(index, { after: lookedAt, at: now });
      const { after, at } = seen.get(index);
      least[index] = Math.max(least[index], now - at);
      most[index] = Math.max(most[index], now - after);
    });
    lookedAt = now;
    requestAnimationFrame(look);
  };
  look();
}"""
"""The page, and its own log: for how long each card was at least half visible without a break, in milliseconds.

A page draws rarely on a busy machine. ``least`` counts from the first picture that showed the card to the last one,
``most`` from the picture before the first to the one after the last.
"""
SCROLL = """(async () => {
  const still = (ms) => new Promise((done) => setTimeout(done, ms));
  for (let top = FIRST; top < LAST; top += 240) {
    scrollTo(0, top);
    await still(60);
    while (top % 1920 === 0 && least[top / 12] < 1600) await still(50);
  }
})()"""
"""Fast, with a stop at each 1,920th line until its cards were seen. A row of ten has 120 lines."""
MIDDLE, LAST = 2_880, 5_200
HIDDEN_S = 2
"""The cards in the middle are visible in a tab that is not."""


@pytest.fixture
def site(tmp_path: Path) -> Iterator[WatchSite]:
    with served(tmp_path) as found:
        yield found


def scroll(first: int, last: int) -> str:
    return SCROLL.replace("FIRST", str(first)).replace("LAST", str(last))


def test_cards_that_are_scrolled_past_fast_or_in_a_hidden_tab_are_reported_if_they_were_seen(
    browser: Browser, site: WatchSite, sdk: str
) -> None:
    tab = Tab(browser, f"{site.address}/livez")
    tab.evaluate(sdk)
    token = headers(member("me"))["Authorization"].removeprefix("Bearer ")
    tab.evaluate(f"({PAGE.replace('COLLECTOR', repr(site.collector)).replace('TOKEN', repr(token))})()")
    tab.evaluate(scroll(0, MIDDLE))
    tab.hide()
    time.sleep(HIDDEN_S)  # nothing may happen
    tab.show()
    tab.evaluate(scroll(MIDDLE, LAST))
    least, most = tab.evaluate("[least, most]")
    must = {f"t-{index}" for index, ms in enumerate(least) if ms > 1_500}
    must_not = {f"t-{index}" for index, ms in enumerate(most) if ms < 500}

    def reported() -> list[str | None]:
        """Each event once: a hidden tab sends again what has no verdict yet, under its id."""
        impressions = [each for each in site.stored() if isinstance(each, Ui) and each.action == "impression"]
        return [each.title_id for each in {each.event_id: each for each in impressions}.values()]

    eventually(lambda: must <= set(reported()))
    tab.close()
    assert len(must) >= 100
    assert must_not & set(reported()) == set()
    assert len(reported()) == len(set(reported()))
