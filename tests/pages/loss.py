"""Plays that end in every way, and what the collector has of them: by the SDK, and by the player's own CMCD."""

import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
from playwright.sync_api import Browser, BrowserContext, Error, Page, Playwright, Request

from domain.cmcd.line import Unusable, read
from schemas.events import Diagnostic, Performance, Playback
from schemas.events import Error as Failure
from tests.pages.browser import PATIENCE_MS, launched_with
from tests.pages.watch_site import CLIP_S, WatchSite, clip, make_clip, served
from tests.support.identity import sign_in
from tests.support.pipeline import eventually

AT_ONCE = 8
PLAYED_S = 4
AWAY_MS, ASLEEP_S = 2_500, 8
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


def played(plays: list[Play]) -> None:
    for play in plays:
        eventually(lambda page=play.page: bool(page.evaluate(f"video.currentTime >= {PLAYED_S}")))  # type: ignore[misc]
        play.session = play.page.evaluate("example.dataset.session")


def leave(plays: list[Play], site: WatchSite) -> None:
    for play in plays:
        play.page.goto(f"{site.address}/livez")
        play.ended_at = _now()


def close(plays: list[Play], _: WatchSite) -> None:
    for play in plays:
        play.page.close()
        play.ended_at = _now()


def go_offline(plays: list[Play], _: WatchSite) -> None:
    for play in plays:
        play.page.context.set_offline(True)
    plays[0].page.wait_for_timeout(AWAY_MS)
    for play in plays:
        play.page.context.set_offline(False)
        play.ended_at = _now()


def freeze(plays: list[Play], _: WatchSite) -> None:
    """No script of the pages runs."""
    sessions = [play.page.context.new_cdp_session(play.page) for play in plays]
    for session in sessions:
        session.send("Page.setWebLifecycleState", {"state": "frozen"})
    time.sleep(AWAY_MS / 1000)  # nothing can be awaited meanwhile
    for session, play in zip(sessions, plays, strict=True):
        session.send("Page.setWebLifecycleState", {"state": "active"})
        play.ended_at = _now()


END: dict[str, Callable[[list[Play], WatchSite], None]] = {
    "left for another page": leave,
    "tab closed": close,
    "offline and back": go_offline,
    "page frozen": freeze,
}


KILLED, AWAY, ASLEEP = "browser killed", "collector away", "machine asleep"
KINDS = (*END, KILLED, AWAY, ASLEEP)


@dataclass(frozen=True)
class Film:
    folder: Path
    away_s: int
    """So long a collector is away. The film lasts longer."""

    @classmethod
    def make(cls, folder: Path, away_s: int) -> "Film":
        return cls(make_clip(folder, CLIP_S + away_s), away_s)

    @contextmanager
    def served(self) -> Iterator[WatchSite]:
        with served(self.folder) as site:
            site.assets = {"ml-50": clip(seconds=CLIP_S + self.away_s)}
            yield site


def plays_that_end(
    playwright: Playwright, browser: Browser, film: Film, player: str, how: str, plays: int
) -> Iterator[Known]:
    """Eight at once. A collector that kept the events of all would be slower and slower."""
    for begun in range(0, plays, AT_ONCE):
        times = min(AT_ONCE, plays - begun)
        with film.served() as site, tempfile.TemporaryDirectory() as profile:
            if how == KILLED:
                yield from crash(playwright, Path(profile), site, player, times)
            elif how == ASLEEP:
                yield from machine_sleep(playwright, Path(profile), site, player, times)
            elif how == AWAY:
                yield from collector_away(browser, site, player, film.away_s, times)
            else:
                yield from endings(browser, site, player, how, times)


def endings(browser: Browser, site: WatchSite, player: str, how: str, times: int) -> list[Known]:
    """Plays side by side, each in its own context, that all end this way."""
    contexts = [browser.new_context() for _ in range(times)]
    plays = [begin(context, site, player) for context in contexts]
    played(plays)
    END[how](plays, site)
    found = [_settled(play, context, site, player) for play, context in zip(plays, contexts, strict=True)]
    for context in contexts:
        context.close()
    return found


def collector_away(browser: Browser, site: WatchSite, player: str, seconds: float, times: int) -> list[Known]:
    contexts = [browser.new_context() for _ in range(times)]
    plays = [begin(context, site, player) for context in contexts]
    site.collector_away = True
    played(plays)
    plays[0].page.wait_for_timeout(max(0, seconds - PLAYED_S) * 1000)
    close(plays, site)
    site.collector_away = False
    found = [_settled(play, context, site, player) for play, context in zip(plays, contexts, strict=True)]
    for context in contexts:
        context.close()
    return found


def crash(playwright: Playwright, folder: Path, site: WatchSite, player: str, times: int) -> list[Known]:
    """Tabs of one browser, which is killed."""
    context = launched_with(playwright, folder)
    plays = [begin(context, site, player) for _ in range(times)]
    played(plays)
    ended_at = _now()
    program = _program(folder)
    program.kill()
    program.wait(60)
    with suppress(Error):
        context.close()
    again = launched_with(playwright, folder)
    for play in plays:
        play.ended_at = ended_at
    found = [_settled(play, again, site, player) for play in plays]
    again.close()
    return found


def machine_sleep(playwright: Playwright, folder: Path, site: WatchSite, player: str, times: int) -> list[Known]:
    """Tabs of one browser, of which no process runs for a while. They play on afterwards."""
    context = launched_with(playwright, folder)
    plays = [begin(context, site, player) for _ in range(times)]
    played(plays)
    program = _program(folder)
    asleep = [program, *program.children(recursive=True)]
    for process in asleep:
        process.suspend()
    time.sleep(ASLEEP_S)  # nothing can be awaited while it sleeps
    for process in reversed(asleep):
        process.resume()
    for play in plays:
        play.page.evaluate("true")
        play.ended_at = _now()
    found = [_settled(play, context, site, player) for play in plays]
    context.close()
    return found


def _settled(play: Play, context: BrowserContext, site: WatchSite, player: str) -> Known:
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


def _program(folder: Path) -> psutil.Process:
    """The browser process of that folder. Its children end with it."""
    for process in psutil.Process().children(recursive=True):
        with suppress(psutil.Error):
            command = process.cmdline()
            if f"--user-data-dir={folder}" in command and not any(each.startswith("--type=") for each in command):
                return process
    raise LookupError(folder)


def _now() -> int:
    return time.time_ns() // 1_000_000


HEAD = (
    "player",
    "how the page ended",
    "plays",
    "lost, older than 1 s",
    "doubled in the tables",
    "sent again",
    "silent, SDK: median, most",
    "silent, CMCD: median, most",
    "lines of CMCD lost",
)


def row(player: str, how: str, found: list[Known]) -> str:
    """Of the table in ``docs/benchmarks.md``."""

    def total(name: str) -> int:
        return sum(getattr(one, name) for one in found)

    lost = f"{total('lost')} (up to {max(one.lost_ms for one in found)} ms old)" if total("lost") else "0"
    silences = (silent([one.sdk_silent_ms for one in found]), silent([one.cmcd_silent_ms for one in found]))
    lines = f"{total('lost_lines')} of {total('lines')}"
    cells = (player, how, len(found), lost, total("doubled"), total("repeated"), *silences, lines)
    return f"| {' | '.join(map(str, cells))} |"


def silent(known: list[int | None]) -> str:
    """The median and the most, in seconds, and of how many plays nothing came."""
    times = sorted(each / 1000 for each in known if each is not None)
    span = f"{times[len(times) // 2]:.1f} s, {times[-1]:.1f} s" if times else "–"
    return span if len(times) == len(known) else f"{span}; nothing of {len(known) - len(times)} plays"
