"""Drills: break one thing on a running stack, in real time, and hear from Alertmanager who would have been woken.

Passed when exactly the expected alert pages, and nobody is woken any more once the thing is mended. Tickets of a
budget that was spent may stay.
"""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

import httpx
import typer

from infra.alert_timeline import AlertTimeline, ObservedAlert
from infra.local import monitoring
from infra.local.program import StackError
from infra.local.stack import Stack
from infra.local.workers import environment

POLL_S = 1.0
PATIENCE_S = 1200.0
WELL = "corrupt=0,lost=0,reordered=0"
"""Of the simulated players. What is held up when they are stopped would never come."""
AUDIENCE = ("--viewers", "100", "--rate", "50", "--visit-seconds", "60", "--seconds", "7200")
RELEASE = "tv/9.4.0"


@dataclass(frozen=True, slots=True)
class Drill:
    does: str
    alert: str
    """The one that must page."""
    symptom: str | None = None
    """One that must fire too, and be inhibited: so long the thing stays broken."""
    stops: str | None = None
    """A process."""
    faults: str = WELL
    bad_release: str = ""
    """Both of the simulated players, while it is broken."""
    names: Mapping[str, str] = field(default_factory=dict)
    """Labels that the page must have."""
    lasts_s: float = 0.0
    """At least so long it stays broken."""
    within_s: float = PATIENCE_S
    """The page must come so soon."""


NAMED = {"device_type": "tv", "app_version": "9.4.0"}
DRILLS = {
    "worker-stopped": Drill("stop the history worker", "WorkerDown", "ConsumerLag", stops="history"),
    "cassandra-stopped": Drill("stop Cassandra", "BackendUnreachable", "ConsumerLag", stops="cassandra"),
    "s3-stopped": Drill("stop the object store", "BackendUnreachable", "ConsumerLag", stops="seaweedfs"),
    "corrupt-events": Drill("break one event in a hundred", "DeadLetters", faults="corrupt=0.01,lost=0,reordered=0"),
    "lossy-client": Drill(
        f"lose one event in fifty of {RELEASE}", "ClientLoss", bad_release=f"{RELEASE}:loses=0.02", names=NAMED
    ),
    "broken-release": Drill(
        f"fail every play of {RELEASE}",
        "PlaybackFailures",
        bad_release=f"{RELEASE}:fails=1",
        names=NAMED,
        lasts_s=300.0,
        within_s=120.0,
    ),
}


@contextmanager
def stage(stack: Stack) -> Iterator[None]:
    """The stack, monitored. One that was down is stopped again."""
    monitoring.require_installed()
    with stack.ensure_running():
        stack.monitor()
        yield


def run(stack: Stack, drill: Drill) -> bool:
    """Whether the drill was passed. Says what happened."""
    began = time.monotonic()
    seen = AlertTimeline()

    def look() -> None:
        answer = httpx.get(f"{stack.settings.local_alertmanager}/api/v2/alerts", timeout=5)
        seen.add(time.monotonic() - began, answer.raise_for_status().json())

    def told() -> bool:
        inhibited = drill.symptom is None or seen.was_inhibited(drill.symptom)
        return seen.has_paged(drill.alert) and inhibited and time.monotonic() - began >= drill.lasts_s

    look()
    if seen.paging:
        names = ", ".join(map(str, seen.paging))
        raise StackError(f"a drill needs a stack in good health, here fires already: {names}")
    typer.echo(drill.does)
    with _traffic(stack, "--faults", drill.faults, "--bad-release", drill.bad_release) as members:
        if drill.stops:
            stack.stop(drill.stops)
        try:
            _until(told, look, members)
        finally:
            if drill.stops:
                stack.start(drill.stops)
    mended = time.monotonic() - began
    with _traffic(stack, "--faults", WELL) as members:
        _until(lambda: not seen.paging, look, members)
    return _report(drill, seen, mended)


def _until(done: Callable[[], bool], look: Callable[[], None], members: "subprocess.Popen[bytes]") -> None:
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until:
        if members.poll() is not None:
            raise StackError("the simulated members are gone: drill.log, beside the other logs, tells why")
        with suppress(httpx.TransportError):  # a machine that is busy with the outage is no end of the drill
            look()
        if done():
            return
        time.sleep(POLL_S)


@contextmanager
def _traffic(stack: Stack, *options: str) -> Iterator["subprocess.Popen[bytes]"]:
    """Members watch, over HTTP, while the block runs."""
    command = ("-m", "producers.simulator.main", "live", *AUDIENCE, *options)
    with (stack.settings.folder / "logs" / "drill.log").open("w") as log:
        members = subprocess.Popen(
            [sys.executable, *command], stdout=log, stderr=log, env=os.environ | environment(stack.settings)
        )
    try:
        yield members
    finally:
        members.terminate()
        members.wait()


def _report(drill: Drill, seen: AlertTimeline, mended: float) -> bool:
    for page in seen.pages:
        typer.echo(f"  paged after {page.first:.0f} s, resolved {page.last - mended:.0f} s after mending: {page}")
    for other in seen.others:
        how = "inhibited" if other.inhibited else "did not page"
        typer.echo(f"  {how}, fired from {other.first:.0f} s to {other.last:.0f} s: {other}")
    passed = _as_expected(drill, seen.pages) and not seen.paging
    typer.echo("  passed" if passed else f"  FAILED: exactly {drill.alert} should page, and all be quiet afterwards")
    return passed


def _as_expected(drill: Drill, pages: Sequence[ObservedAlert]) -> bool:
    if len(pages) != 1:
        return False
    (page,) = pages
    return page.name == drill.alert and page.first <= drill.within_s and drill.names.items() <= page.labels.items()
