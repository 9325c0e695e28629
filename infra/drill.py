"""Drills: break one thing on a running stack, in real time, and hear from Alertmanager who would have been woken.

Passed when exactly the expected alert pages, and all is quiet again once the thing is mended.
"""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import httpx
import typer

from infra.local.program import StackError
from infra.local.stack import Stack
from infra.local.workers import environment
from infra.sightings import Sightings

POLL_S = 1.0
PATIENCE_S = 420.0
WELL = "corrupt=0,lost=0"


@dataclass(frozen=True, slots=True)
class Drill:
    does: str
    alert: str
    """The one that must page."""
    symptom: str | None = None
    """One that must fire too, and be silenced: so long the thing stays broken."""
    stops: str | None = None
    """A process."""
    faults: str = WELL
    """Of the simulated players, while it is broken."""


DRILLS = {
    "worker-stopped": Drill("stop the history worker", "WorkerDown", "ConsumerLag", stops="history"),
    "cassandra-stopped": Drill("stop Cassandra", "EngineUnreachable", "ConsumerLag", stops="cassandra"),
    "s3-stopped": Drill("stop the object store", "EngineUnreachable", "ConsumerLag", stops="seaweedfs"),
    "poisoned-producer": Drill("break one event in a hundred", "DeadLetters", faults="corrupt=0.01,lost=0"),
}


def run(stack: Stack, name: str) -> bool:
    """Whether the drill was passed. Says what happened."""
    drill, began = DRILLS[name], time.monotonic()
    seen = Sightings()

    def look() -> None:
        answer = httpx.get(f"{stack.settings.alertmanager_url}/api/v2/alerts", timeout=5)
        seen.add(time.monotonic() - began, answer.raise_for_status().json())

    def told() -> bool:
        return seen.has_paged(drill.alert) and (drill.symptom is None or seen.has_silenced(drill.symptom))

    look()
    if seen.awake:
        names = ", ".join(str(each) for each in seen.all.values())
        raise StackError(f"a drill needs a stack in good health, here fires already: {names}")
    typer.echo(f"{name}: {drill.does}")
    with _traffic(stack, drill.faults):
        if drill.stops:
            stack.stop(drill.stops)
        try:
            _until(told, look)
        finally:
            if drill.stops:
                stack.start(drill.stops)
    mended = time.monotonic() - began
    with _traffic(stack, WELL):
        _until(lambda: not seen.awake, look)
    return _report(drill, seen, mended)


def _until(done: Callable[[], bool], look: Callable[[], None]) -> None:
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until:
        look()
        if done():
            return
        time.sleep(POLL_S)


@contextmanager
def _traffic(stack: Stack, faults: str) -> Iterator[None]:
    """Members watch, over HTTP, while the block runs."""
    command = ("-m", "producers.simulator.main", "live", "--seconds", "3600", "--rate", "20", "--faults", faults)
    with (stack.settings.folder / "logs" / "drill.log").open("w") as log:
        members = subprocess.Popen(
            [sys.executable, *command], stdout=log, stderr=log, env=os.environ | environment(stack.settings)
        )
    try:
        yield
    finally:
        members.terminate()
        members.wait()


def _report(drill: Drill, seen: Sightings, mended: float) -> bool:
    for page in seen.pages:
        typer.echo(f"  paged after {page.first:.0f} s, resolved {page.last - mended:.0f} s after mending: {page}")
    for other in seen.others:
        how = "silenced" if other.silenced else "did not page"
        typer.echo(f"  {how}, fired from {other.first:.0f} s to {other.last:.0f} s: {other}")
    passed = [page.name for page in seen.pages] == [drill.alert] and not seen.awake
    typer.echo("  passed" if passed else f"  FAILED: exactly {drill.alert} should page, and all be quiet afterwards")
    return passed
