"""An observer in the page that shares no code with the SDK, and what both say of the same play."""

from dataclasses import dataclass
from typing import Any

from playwright.sync_api import Browser, Page

from tests.pages.browser import PATIENCE_MS
from tests.support.identity import sign_in

WATCH = """(() => {
  const stalls = [];
  let pressedAt = null, startupMs = null, waitingAt = null, pausedAt = null, pausedMs = 0, seeks = 0, settling = false;
  const moving = (at) => {
    if (waitingAt !== null) stalls.push(at - waitingAt);
    waitingAt = null;
  };
  const acts = {
    waiting: (at) => { if (startupMs !== null && !settling && !video.paused && waitingAt === null) waitingAt = at; },
    playing: (at) => { startupMs ??= at - pressedAt; settling = false; moving(at); },
    pause: (at) => { moving(at); pausedAt = at; },
    play: (at) => { if (pausedAt !== null) pausedMs += at - pausedAt; pausedAt = null; },
    seeking: (at) => { moving(at); if (startupMs !== null) { seeks += 1; settling = true; } },
    ended: moving,
  };
  for (const [name, act] of Object.entries(acts)) {
    document.addEventListener(name, ({ timeStamp }) => act(timeStamp), true);
  }
  document.addEventListener("click", ({ timeStamp }) => (pressedAt ??= timeStamp), true);
  window.seen = () => {
    const now = performance.now();
    const { played } = video;
    let watched = 0;
    for (let index = 0; index < played.length; index++) watched += played.end(index) - played.start(index);
    return {
      watched_ms: watched * 1000,
      paused_ms: pausedMs + (pausedAt === null ? 0 : now - pausedAt),
      startup_time_ms: startupMs,
      stalls: waitingAt === null ? stalls : [...stalls, now - waitingAt],
      seek_count: seeks,
    };
  };
  window.compared = [];
  document.addEventListener("playhead", ({ detail }) => {
    if (detail.family === "playback") compared.push({ sdk: detail, seen: structuredClone(seen()) });
  }, true);
  window.over = () => compared.at(-1)?.sdk.player_state === "stopped";
})()"""
"""The browser's own account: the media element's events and ``played``. Seek forward only, at the speed 1."""

STALL_MS = 250
"""The SDK counts a picture that does not move for this long as a stall."""


@dataclass(frozen=True)
class Compared:
    """One event of the SDK, and what was observed at that moment."""

    sdk: dict[str, Any]
    seen: dict[str, Any]

    def stalls(self, from_ms: float = STALL_MS) -> list[float]:
        return [each for each in self.seen["stalls"] if each >= from_ms]

    @property
    def difference_ms(self) -> dict[str, float]:
        """SDK minus observer."""
        observed = self.seen | {"rebuffer_ms": sum(self.stalls())}
        names = ("watched_ms", "startup_time_ms", "rebuffer_ms", "paused_ms")
        return {name: (self.sdk[name] or 0) - (observed[name] or 0) for name in names}


def observed(browser: Browser, address: str) -> Page:
    """An example page whose play begins now. ``seen()``: what is observed; ``over()``: whether the SDK's play ended."""
    page = browser.new_page()
    sign_in(page.context)
    page.set_default_timeout(PATIENCE_MS)
    page.add_init_script(WATCH)
    page.goto(address)
    page.click("#start")
    return page


def compared(page: Page) -> list[Compared]:
    """All of the SDK's events so far."""
    return [Compared(**each) for each in page.evaluate("compared")]
