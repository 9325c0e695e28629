"""The demo: the commands that a person would type, in order, from an empty stack to pages worth looking at."""

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

from infra.runtime.settings import Settings
from infra.runtime.shutdown import sigterm_as_interrupt


@dataclass(frozen=True, slots=True)
class Audience:
    """How much is played."""

    members: int
    days: int
    live_viewers: int
    live_seconds: int


@dataclass(frozen=True, slots=True)
class Step:
    title: str
    command: tuple[str, ...]


def steps(audience: Audience) -> tuple[Step, ...]:
    members, today = str(audience.members), datetime.now(UTC)
    since = ("--from", f"{today - timedelta(days=audience.days):%Y-%m-%d}")
    return (
        Step("Start the engines and our workers", ("up",)),
        Step("Fetch films and tastes, fill the catalogue", ("catalogue",)),
        Step(
            f"Play {audience.days} days of past evenings of {members} members",
            ("simulate", "past", "--members", members, "--days", str(audience.days)),
        ),
        Step(
            f"Let {audience.live_viewers} members watch now, over HTTP",
            (
                *("simulate", "live", "--members", members, "--viewers", str(audience.live_viewers)),
                *("--seconds", str(audience.live_seconds), "--heartbeat-seconds", "2"),
            ),
        ),
        Step("Wait until every record has reached history and lake", ("drain",)),
        Step("Roll older sessions up into CompressedVH", ("compact", "--all", "--keep-live", "3")),
        Step("Balance the ledger", ("ledger",)),
        Step(
            "Tables, features and dashboards of every day, recommendations with Spark",
            ("job", "tables", "snapshot", "features", *since, "dashboards", *since, "recommend"),
        ),
    )


def run(
    settings: Settings, audience: Audience, wipe: Callable[[], int], stop: Callable[[], None], *, stay: bool
) -> int:
    """Play the demo; returns the exit code of the first step that failed, else 0.

    ``wipe`` empties the stack and says how many bytes that freed; ``stop`` ends it. With ``stay`` the pages are
    served until Ctrl-C.
    """
    console, began = Console(), time.monotonic()
    freed = wipe()
    if freed:
        console.print(f"Starting afresh: the last demo's {freed / 2**20:,.0f} MiB are wiped.")
    signal.signal(signal.SIGTERM, sigterm_as_interrupt)
    try:
        for number, step in enumerate(steps(audience), 1):
            console.rule(f"[bold]{number}. {step.title}[/]", align="left")
            console.print(f"[dim]$ playhead {' '.join(step.command)}[/]")
            step_began = time.monotonic()
            code = subprocess.run([sys.executable, "-m", "infra.cli", *step.command], check=False).returncode
            if code:
                console.print(f"[bold red]The demo stops here: `playhead {' '.join(step.command)}` failed ({code}).[/]")
                return code
            console.print(f"[dim]{time.monotonic() - step_began:.0f} s[/]")
        console.print(_pages(settings))
        minutes, seconds = divmod(round(time.monotonic() - began), 60)
        console.print(f"All of it took {minutes} min {seconds} s.")
        if stay:
            _stay(console)
    except KeyboardInterrupt:
        console.print("Interrupted.")
        return 130
    finally:
        stop()
    return 0


def _stay(console: Console) -> None:
    console.print("Ctrl-C stops everything; the data stay, `make up` brings them back.")
    try:
        signal.pause()
    except KeyboardInterrupt:
        console.print("Stopping …")


def _pages(settings: Settings) -> Panel:
    pages = Table.grid(padding=(0, 2))
    pages.add_column(no_wrap=True)
    pages.add_column(overflow="fold")
    pages.add_row("The pipeline, live", settings.ops_url)
    pages.add_row("A member", f"{settings.ops_url}/members")
    pages.add_row("Day by day", f"{settings.ops_url}/dashboards")
    pages.add_row("History API", f"{settings.history_url}/docs")
    pages.add_row("Send your own event", f"{settings.collector_url}/docs")
    return Panel(pages, title="Worth looking at", border_style="green")
