"""Drills: inject one fault into a running stack, in real time, and watch Alertmanager.

A drill passes when exactly the expected alert pages, and nothing pages any more after the repair. Tickets for a spent
error budget may stay.
"""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from uuid import uuid4

import httpx
import typer

from domain.media.path_token import PathToken
from infra import drill_members
from infra.alert_timeline import AlertTimeline, ObservedAlert
from infra.local.program import StackError
from infra.local.stack import Stack
from infra.local.workers import environment
from infra.runtime.settings import Settings

POLL_S = 1.0
TIMEOUT_S = 1200.0
NO_FAULTS = "corrupt=0,lost=0,reordered=0"
"""Of the simulated players. No reordering: delayed events would be lost when the simulator stops."""
AUDIENCE = ("--viewers", "100", "--rate", "50", "--visit-seconds", "60", "--seconds", "7200")
RELEASE = "tv/9.4.0"


@dataclass(frozen=True, slots=True)
class Drill:
    description: str
    alert: str
    """The only one that may page."""
    symptom: str | None = None
    """The fault stays in place until this alert fires and is inhibited."""
    stops: str | None = None
    """The process that is stopped meanwhile."""
    faults: str = NO_FAULTS
    bad_release: str = ""
    """Options of the simulated players during the fault."""
    labels: Mapping[str, str] = field(default_factory=dict)
    """Labels that the page must have."""
    lasts_s: float = 0.0
    """The fault stays in place for at least this long."""
    within_s: float = TIMEOUT_S
    """The page must come within this time."""
    video: bool = False
    """Whether somebody asks the edge for files, too, none of which it has."""
    closes_sign_in: bool = False
    """Whether members who are signed in must go on meanwhile, while sign-in asks others to come later."""


RELEASE_LABELS = {"device_type": "tv", "app_version": "9.4.0"}
DRILLS = {
    "worker-stopped": Drill("stop the history worker", "WorkerDown", "ConsumerLag", stops="history"),
    "cassandra-stopped": Drill("stop Cassandra", "BackendUnreachable", "ConsumerLag", stops="cassandra"),
    "s3-stopped": Drill("stop the object store", "BackendUnreachable", "ConsumerLag", stops="seaweedfs"),
    "mariadb-stopped": Drill(
        "stop MariaDB", "BackendUnreachable", stops="mariadb", labels={"backend": "mariadb"}, closes_sign_in=True
    ),
    "accounts-down": Drill(
        "stop the accounts service", "WorkerDown", stops="accounts", labels={"process": "accounts"}, closes_sign_in=True
    ),
    "gateway-down": Drill("stop the gateway", "GatewayDown", stops="gateway"),
    "edge-down": Drill("stop the edge", "EdgeDown", stops="edge"),
    "origin-down": Drill(
        "stop the object store while videos start", "BackendUnreachable", "OriginDown", stops="seaweedfs", video=True
    ),
    "corrupt-events": Drill("break one event in a hundred", "DeadLetters", faults="corrupt=0.01,lost=0,reordered=0"),
    "lossy-client": Drill(
        f"lose one event in fifty of {RELEASE}",
        "ClientLoss",
        bad_release=f"{RELEASE}:loses=0.02",
        labels=RELEASE_LABELS,
    ),
    "broken-release": Drill(
        f"fail every play of {RELEASE}",
        "PlaybackFailures",
        bad_release=f"{RELEASE}:fails=1",
        labels=RELEASE_LABELS,
        lasts_s=300.0,
        within_s=120.0,
    ),
}


@contextmanager
def stage(stack: Stack) -> Iterator[None]:
    """Run the stack with monitoring. A stack that was down is stopped again afterwards."""
    stack.fetch_monitoring()
    with stack.ensure_running():
        stack.monitor()
        yield


def run(stack: Stack, drill: Drill) -> bool:
    """Whether the drill passed. Prints what happened."""
    began = time.monotonic()
    seen = AlertTimeline()

    def observe() -> None:
        answer = httpx.get(f"{stack.settings.local_alertmanager}/api/v2/alerts", timeout=5)
        seen.add(time.monotonic() - began, answer.raise_for_status().json())
        if drill.video:
            _ask_for_video(stack.settings)

    def fault_was_noticed() -> bool:
        inhibited = drill.symptom is None or seen.was_inhibited(drill.symptom)
        return seen.has_paged(drill.alert) and inhibited and time.monotonic() - began >= drill.lasts_s

    observe()
    if seen.paging:
        names = ", ".join(map(str, seen.paging))
        raise StackError(f"cannot start the drill: alerts are already firing: {names}")
    typer.echo(drill.description)
    wrong: list[str] = []
    with _traffic(stack, "--faults", drill.faults, "--bad-release", drill.bad_release) as members:
        if drill.stops:
            stack.stop(drill.stops)
        try:
            _until(fault_was_noticed, observe, members)
            if drill.closes_sign_in:
                wrong = drill_members.wrong_answers(stack.settings)
        finally:
            if drill.stops:
                stack.start(drill.stops)
    repaired = time.monotonic() - began
    with _traffic(stack, "--faults", NO_FAULTS) as members:
        _until(lambda: not seen.paging, observe, members)
    return _report(drill, seen, repaired, wrong)


def _until(done: Callable[[], bool], observe: Callable[[], None], members: "subprocess.Popen[bytes]") -> None:
    until = time.monotonic() + TIMEOUT_S
    while time.monotonic() < until:
        if members.poll() is not None:
            raise StackError("the simulator has exited: drill.log in the stack's log folder shows why")
        with suppress(httpx.TransportError):  # a busy machine may answer late
            observe()
        if done():
            return
        time.sleep(POLL_S)


def _ask_for_video(settings: Settings) -> None:
    key, secret = next(iter(settings.edge_keys.items()))
    claims = PathToken("drill", "drill", int(time.time()) + 60, quality=0)
    token = claims.signed(key, secret.get_secret_value().encode())
    httpx.get(f"{settings.edge}/t/{token}/drill/q0/{uuid4().hex}", timeout=5)


@contextmanager
def _traffic(stack: Stack, *options: str) -> Iterator["subprocess.Popen[bytes]"]:
    """Simulated members watch over HTTP while the block runs."""
    command = ("-m", "infra.cli", "simulate", "live", *AUDIENCE, *options)
    with (stack.settings.folder / "logs" / "drill.log").open("w") as log:
        members = subprocess.Popen(
            [sys.executable, *command], stdout=log, stderr=log, env=os.environ | environment(stack.settings)
        )
    try:
        yield members
    finally:
        members.terminate()
        members.wait()


def _report(drill: Drill, seen: AlertTimeline, repaired: float, wrong: Sequence[str]) -> bool:
    for page in seen.pages:
        lasted = max(0, page.last - repaired)
        typer.echo(f"  paged after {page.first:.0f} s, resolved {lasted:.0f} s after the repair: {page}")
    for other in seen.others:
        how = "inhibited" if other.inhibited else "did not page"
        typer.echo(f"  {how}, fired from {other.first:.0f} s to {other.last:.0f} s: {other}")
    for each in wrong:
        typer.echo(f"  FAILED: {each}")
    alerted = _as_expected(drill, seen.pages) and not seen.paging
    if not alerted:
        typer.echo(f"  FAILED: expected only {drill.alert} to page, and nothing after the repair")
    elif not wrong:
        typer.echo("  passed")
    return alerted and not wrong


def _as_expected(drill: Drill, pages: Sequence[ObservedAlert]) -> bool:
    if len(pages) != 1:
        return False
    (page,) = pages
    return page.name == drill.alert and page.first <= drill.within_s and drill.labels.items() <= page.labels.items()
