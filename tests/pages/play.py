"""A page that plays, with its own log of what it reports; and what the collector has of it, by the SDK and by CMCD."""

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from playwright.sync_api import BrowserContext, Page, Request

from domain.cmcd.line import Unusable, read
from schemas.events import Diagnostic, Performance, Playback
from schemas.events import Error as Failure
from tests.pages.browser import PATIENCE_MS
from tests.pages.watch_site import WatchSite
from tests.support.identity import sign_in
from tests.support.pipeline import eventually

FRESH_MS = 1_000
"""What is younger at the end may be lost."""
TAKE = """document.addEventListener("playhead", ({ detail }) => take(detail.event_id, detail.client_time), true)"""


UNSENT = """new Promise((resolve) => {
  const opening = indexedDB.open("playhead");
  opening.onsuccess = () => {
    const count = opening.result.transaction("events").objectStore("events").count();
    const left = Object.keys(localStorage).filter((key) => key.startsWith("playhead-left-")).length;
    count.onsuccess = () => (opening.result.close(), resolve(count.result + left));
  };
})"""
"""Events of this browser that have no verdict."""


@dataclass
class Play:
    """A page that plays, with its own log of what its SDK reports."""

    page: Page
    reported: dict[str, int] = field(default_factory=dict)
    """``client_time`` by event id."""
    lines: dict[str, int] = field(default_factory=dict)
    """Time of each line of CMCD that the player handed to the browser."""
    session: str = ""
    ended_at: int = 0

    @property
    def owed(self) -> set[str]:
        """Events that must not be lost."""
        return {name for name, at in self.reported.items() if at < self.ended_at - FRESH_MS}

    def see(self, request: Request) -> None:
        if "/v1/cmcd" not in request.url:
            return
        for text in (request.post_data or "").splitlines():
            with suppress(Unusable):
                self.lines[text] = read(text).time or 0


@dataclass(frozen=True)
class Known:
    """What the collector has of a play."""

    lost: int
    """Events of the SDK."""
    lost_ms: int
    """Age of the oldest of them."""
    repeated: int
    """Events that came again under their id, of which the tables keep one."""
    doubled: int
    """Events that say the same under another id: a second row in the tables."""
    sdk_silent_ms: int | None
    """From the newest event until the play's end; None if none came."""
    cmcd_silent_ms: int | None
    lines: int
    """Lines of CMCD that the player handed to the browser."""
    lost_lines: int


def begin(context: BrowserContext, site: WatchSite, player: str) -> Play:
    sign_in(context)
    page = context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    play = Play(page)
    page.expose_function("take", lambda name, at: play.reported.update({name: at}))
    page.on("request", play.see)
    page.add_init_script(TAKE)
    page.goto(example(site, player))
    page.click("#start")
    return play


def example(site: WatchSite, player: str) -> str:
    return f"{site.address}/examples/{player}?title=ml-50"


def settled(play: Play, context: BrowserContext, site: WatchSite, player: str) -> Known:
    """Once the next page of the same browser has sent what was left."""
    with _next_page(context, site, player) as page:
        with suppress(AssertionError):
            eventually(lambda: page.evaluate(UNSENT) == 0)
        return _known(play, site)


@contextmanager
def _next_page(context: BrowserContext, site: WatchSite, player: str) -> Iterator[Page]:
    sign_in(context)
    page = context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    page.goto(example(site, player))
    yield page
    page.close()


def _known(play: Play, site: WatchSite) -> Known:
    stored = site.stored()
    ids = [event.event_id for event in stored if event.event_id in play.reported]
    lost = play.owed - set(ids)
    sdk = {event.event_id: event for event in stored if isinstance(event, Playback) and _is_of(play, event)}
    cmcd = {
        event.event_id: event.client_time
        for event in stored
        if isinstance(event, Diagnostic | Performance | Failure)
        and event.event_id not in play.reported
        and _is_of(play, event)
    }
    return Known(
        lost=len(lost),
        lost_ms=max((play.ended_at - play.reported[name] for name in lost), default=0),
        repeated=len(ids) - len(set(ids)),
        doubled=len(sdk) - len({event.seq for event in sdk.values()}),
        sdk_silent_ms=_silent(play, [event.client_time for event in sdk.values()]),
        cmcd_silent_ms=_silent(play, list(cmcd.values())),
        lines=len(_old(play, play.lines.values())),
        lost_lines=max(0, len(_old(play, play.lines.values())) - len(_old(play, cmcd.values()))),
    )


def _silent(play: Play, times: list[int]) -> int | None:
    return max(0, play.ended_at - max(times)) if times else None


def _old(play: Play, times: Iterable[int]) -> list[int]:
    return [at for at in times if at < play.ended_at - FRESH_MS]


def _is_of(play: Play, event: Any) -> bool:
    if isinstance(event, Diagnostic):
        return event.fields.get("playback_session_id") == play.session
    return bool(getattr(event, "playback_session_id", None) == play.session)


def now() -> int:
    return time.time_ns() // 1_000_000
