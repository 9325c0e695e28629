"""The demo: the commands that a person would type, from an empty stack to pages in the browser."""

import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from rich.console import Console
from rich.panel import Panel
from rich.table import Table

from domain.media.play import CLIP_TITLE
from infra import films
from infra.runtime import local_tokens, sign_in_links, token_keys
from infra.runtime.settings import Settings
from infra.runtime.shutdown import sigterm_as_interrupt
from infra.runtime.sign_in_links import SignIn

WATCHED = "ml-50"
"""Star Wars, as most members of the demo know it."""
VIEWER = "me"
"""The profile that watches it."""


@dataclass(frozen=True, slots=True)
class Audience:
    """How much viewing is simulated."""

    members: int
    days: int
    live_viewers: int
    live_seconds: int


@dataclass(frozen=True, slots=True)
class Step:
    title: str
    command: tuple[str, ...]
    in_background: bool = False
    """The next steps do not wait for it, until one does."""
    waits: bool = False
    """First wait for what runs in the background."""


def steps(settings: Settings, audience: Audience) -> tuple[Step, ...]:
    members, today = str(audience.members), datetime.now(UTC)
    has_members = "members" in settings.parts
    since = ("--from", f"{today - timedelta(days=audience.days):%Y-%m-%d}")
    return (
        Step("Start backends and workers", ("up",)),
        Step("Download films and ratings, write the catalogue", ("catalogue",)),
        *(_clip(settings) if "video" in settings.parts else ()),
        *((Step("Make the members' accounts", ("simulate", "accounts", "--members", members)),) if has_members else ()),
        Step(
            f"Simulate {audience.days} days of past viewing by {members} members",
            ("simulate", "past", "--members", members, "--days", str(audience.days)),
        ),
        Step(
            f"Let {audience.live_viewers} members watch live, over HTTP",
            (
                *("simulate", "live", "--members", members, "--viewers", str(audience.live_viewers)),
                *("--seconds", str(audience.live_seconds), "--heartbeat-seconds", "2"),
            ),
        ),
        Step("Wait until every consumer group has caught up", ("drain",), waits=True),
        Step("Compact older sessions into CompressedVH", ("compact", "--all", "--keep-live", "3")),
        Step("Check the ledger", ("ledger",)),
        Step(
            "Tables, features, daily reports and recommendations, with Spark",
            ("job", "tables", "snapshot", "features", *since, "dashboards", *since, "recommend"),
        ),
    )


def _clip(settings: Settings) -> tuple[Step, Step]:
    """A real video, shown for titles without one."""
    film = settings.home / "films" / films.TRAILER.name
    upload = ("upload", str(film), "--title", CLIP_TITLE, "--credit", films.CREDIT)
    return (
        Step("Download the trailer of Big Buck Bunny", ("film",)),
        Step("Encode and upload it, in the background", upload, in_background=True),
    )


def run(
    settings: Settings, audience: Audience, wipe: Callable[[], int], stop: Callable[[], None], *, stay: bool
) -> int:
    """Run the demo; returns the exit code of the first step that failed, else 0.

    ``wipe`` empties the stack and returns the freed bytes; ``stop`` ends it. With ``stay`` the pages are served until
    Ctrl-C. Steps print their progress; logs go to files in the stack's folder.
    """
    console, began = Console(), time.monotonic()
    background: list[_Background] = []
    freed = wipe()
    if freed:
        console.print(f"Deleted the last demo's data, {freed / 2**20:,.0f} MiB.")
    signal.signal(signal.SIGTERM, sigterm_as_interrupt)
    try:
        for number, step in enumerate(steps(settings, audience), 1):
            console.rule(f"[bold]{number}. {step.title}[/]", align="left")
            console.print(f"[dim]$ playhead {shlex.join(step.command)}[/]")
            step_began = time.monotonic()
            if step.in_background:
                background.append(_Background(step))
                continue
            for each in background if step.waits else ():
                if code := each.wait(console):
                    return code
            if code := subprocess.run(_playhead(step), check=False).returncode:
                return _stopped(console, step, code)
            console.print(f"[green]✓[/] [dim]{time.monotonic() - step_began:.0f} s[/]")
        console.print(_pages(settings))
        minutes, seconds = divmod(round(time.monotonic() - began), 60)
        console.print(f"The demo took {minutes} min {seconds} s.")
        if stay:
            _stay(console)
    except KeyboardInterrupt:
        console.print("Interrupted.")
        return 130
    finally:
        for each in background:
            each.process.terminate()
        stop()
    return 0


class _Background:
    """A step that takes only the processor time that others leave. It prints when it is waited for."""

    def __init__(self, step: Step) -> None:
        self.step = step
        self.process = subprocess.Popen(
            ("nice", "-n", "10", *_playhead(step)), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )

    def wait(self, console: Console) -> int:
        """Its exit code."""
        printed, _ = self.process.communicate()
        console.print(printed.strip(), markup=False, highlight=False)
        return _stopped(console, self.step, self.process.returncode) if self.process.returncode else 0


def _playhead(step: Step) -> list[str]:
    return [sys.executable, "-m", "infra.cli", *step.command]


def _stopped(console: Console, step: Step, code: int) -> int:
    console.print(f"[bold red]The demo stopped: `playhead {shlex.join(step.command)}` exited with {code}.[/]")
    return code


def _stay(console: Console) -> None:
    console.print("Press Ctrl-C to stop everything. The data stay: `make up` starts the stack again.")
    try:
        signal.pause()
    except KeyboardInterrupt:
        console.print("Stopping …")


def _pages(settings: Settings) -> Panel:
    pages = Table.grid(padding=(0, 2))
    pages.add_column(no_wrap=True)
    pages.add_column(overflow="fold")
    if "video" in settings.parts:
        sign_in = SignIn(token_keys.signer(settings).sign(local_tokens.member([VIEWER], None)), f"/watch/{WATCHED}")
        pages.add_row("Watch a film", f"{sign_in_links.make(settings, sign_in)} [dim](once)[/]")
    if "members" in settings.parts:
        pages.add_row("Accounts", f"{settings.gateway}/account (`playhead login ml-387` signs you in)")
    pages.add_row("Live page", settings.ops_url)
    pages.add_row("Members", f"{settings.ops_url}/members")
    pages.add_row("Daily reports", f"{settings.ops_url}/dashboards")
    pages.add_row("History API", f"{settings.history_url}/docs")
    pages.add_row("Collector API", f"{settings.collector_url}/docs")
    return Panel(pages, title="Open in a browser", border_style="green")
