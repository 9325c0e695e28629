"""Plays that end in every way, and the table of what was lost."""

import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil
from playwright.sync_api import Browser, Error, Playwright

from tests.pages.browser import launched_with
from tests.pages.play import Known, Play, begin, now, settled
from tests.pages.watch_site import CLIP_S, WatchSite, clip, make_clip, served
from tests.support.pipeline import eventually

AT_ONCE = 8
PLAYED_S = 4
AWAY_MS, ASLEEP_S = 2_500, 8


def played(plays: list[Play]) -> None:
    for play in plays:
        eventually(lambda page=play.page: bool(page.evaluate(f"video.currentTime >= {PLAYED_S}")))  # type: ignore[misc]
        play.session = play.page.evaluate("example.dataset.session")


def leave(plays: list[Play], site: WatchSite) -> None:
    for play in plays:
        play.page.goto(f"{site.address}/livez")
        play.ended_at = now()


def close(plays: list[Play], _: WatchSite) -> None:
    for play in plays:
        play.page.close()
        play.ended_at = now()


def go_offline(plays: list[Play], _: WatchSite) -> None:
    for play in plays:
        play.page.context.set_offline(True)
    plays[0].page.wait_for_timeout(AWAY_MS)
    for play in plays:
        play.page.context.set_offline(False)
        play.ended_at = now()


def freeze(plays: list[Play], _: WatchSite) -> None:
    """No script of the pages runs."""
    sessions = [play.page.context.new_cdp_session(play.page) for play in plays]
    for session in sessions:
        session.send("Page.setWebLifecycleState", {"state": "frozen"})
    time.sleep(AWAY_MS / 1000)  # nothing can be awaited meanwhile
    for session, play in zip(sessions, plays, strict=True):
        session.send("Page.setWebLifecycleState", {"state": "active"})
        play.ended_at = now()


END: dict[str, Callable[[list[Play], WatchSite], None]] = {
    "left for another page": leave,
    "tab closed": close,
    "offline and back": go_offline,
    "page frozen": freeze,
}


KILLED, AWAY, ASLEEP = "browser killed", "collector away", "machine asleep"
KINDS = (*END, KILLED, AWAY, ASLEEP)


@dataclass(frozen=True)
class Films:
    folder: Path
    away_s: int
    """So long a collector is away."""

    @classmethod
    def make(cls, folder: Path, away_s: int) -> "Films":
        for seconds in (CLIP_S, CLIP_S + away_s):
            make_clip(folder / str(seconds), seconds)
        return cls(folder, away_s)

    @contextmanager
    def served(self, how: str) -> Iterator[WatchSite]:
        """One that lasts longer than the play, but hardly: a page that plays on stores its state again and again."""
        seconds = CLIP_S + self.away_s if how == AWAY else CLIP_S
        with served(self.folder / str(seconds)) as site:
            site.assets = {"ml-50": clip(seconds=seconds)}
            yield site


def plays_that_end(
    playwright: Playwright, browser: Browser, films: Films, player: str, how: str, plays: int
) -> Iterator[Known]:
    """Eight at once. A collector that kept the events of all would be slower and slower."""
    for begun in range(0, plays, AT_ONCE):
        times = min(AT_ONCE, plays - begun)
        with films.served(how) as site, tempfile.TemporaryDirectory() as profile:
            if how == KILLED:
                yield from crash(playwright, Path(profile), site, player, times)
            elif how == ASLEEP:
                yield from machine_sleep(playwright, Path(profile), site, player, times)
            elif how == AWAY:
                yield from collector_away(browser, site, player, films.away_s, times)
            else:
                yield from endings(browser, site, player, how, times)


def endings(browser: Browser, site: WatchSite, player: str, how: str, times: int) -> list[Known]:
    """Plays side by side, each in its own context, that all end this way."""
    contexts = [browser.new_context() for _ in range(times)]
    plays = [begin(context, site, player) for context in contexts]
    played(plays)
    END[how](plays, site)
    found = [settled(play, context, site, player) for play, context in zip(plays, contexts, strict=True)]
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
    found = [settled(play, context, site, player) for play, context in zip(plays, contexts, strict=True)]
    for context in contexts:
        context.close()
    return found


def crash(playwright: Playwright, folder: Path, site: WatchSite, player: str, times: int) -> list[Known]:
    """Tabs of one browser, which is killed."""
    context = launched_with(playwright, folder)
    plays = [begin(context, site, player) for _ in range(times)]
    played(plays)
    ended_at = now()
    program = _program(folder)
    program.kill()
    program.wait(60)
    with suppress(Error):
        context.close()
    again = launched_with(playwright, folder)
    for play in plays:
        play.ended_at = ended_at
    found = [settled(play, again, site, player) for play in plays]
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
        play.ended_at = now()
    found = [settled(play, context, site, player) for play in plays]
    context.close()
    return found


def _program(folder: Path) -> psutil.Process:
    """The browser process of that folder. Its children end with it."""
    for process in psutil.Process().children(recursive=True):
        with suppress(psutil.Error):
            command = process.cmdline()
            if f"--user-data-dir={folder}" in command and not any(each.startswith("--type=") for each in command):
                return process
    raise LookupError(folder)


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
