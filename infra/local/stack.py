"""The local stack: backends without an address in the settings, our workers, and monitoring on request.

``up`` is idempotent: it starts what is missing and leaves the rest alone. ``wipe`` alone deletes data.
"""

import fcntl
import shutil
import signal
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any, Literal

from domain.processes import Process
from infra.local import (
    backends,
    jars,
    mariadb_cluster,
    monitoring,
    monitoring_programs,
    nodes,
    preflight,
    workers,
)
from infra.local.program import Program, StackError
from infra.local.progress import Report, report
from infra.local.supervisor import Supervisor, base_name
from infra.runtime import token_keys
from infra.runtime.settings import Settings
from infra.runtime.shutdown import defer_signals, sigterm_as_interrupt

State = Literal["ready", "starting", "silent", "stopped", "restarting", "failed"]
LIVE = ("RUNNING", "STARTING", "BACKOFF")
STATES: dict[str, State] = {
    "STARTING": "starting",
    "RUNNING": "starting",
    "BACKOFF": "restarting",
    "EXITED": "restarting",
    "FATAL": "failed",
    "UNKNOWN": "failed",
    "STOPPING": "stopped",
    "STOPPED": "stopped",
}
POLL_S = 0.1
LOG_LINES = 5


@dataclass(frozen=True, slots=True)
class Status:
    name: str
    state: State
    """silent: runs, but does not answer or is not ready; restarting: has just exited; failed: exited too often."""
    pid: int | None
    uptime_s: int
    port: int | None

    @property
    def is_healthy(self) -> bool:
        return self.state in ("ready", "starting", "stopped")


class Stack:
    def __init__(self, settings: Settings, processes: Sequence[Process] | None = None) -> None:
        """``processes``: those of the settings' parts, unless a test has its own."""
        self.settings = settings
        self._external = [backend for backend in backends.of(settings) if not backend.is_local(settings)]
        local = [backend for backend in backends.of(settings) if backend.is_local(settings)]
        processes = settings.processes if processes is None else processes
        self._backends = {program.name: program for backend in local for program in backend.programs(settings)}
        self._workers = {program.name: program for program in workers.programs(settings, processes)}
        self._monitoring = {program.name: program for program in monitoring.programs(settings, processes)}
        self._programs = self._backends | self._workers | self._monitoring
        self._supervisor = Supervisor(settings.folder)

    @property
    def backends(self) -> list[str]:
        """Backends that this stack runs itself."""
        return list(self._backends)

    def up(self, names: Iterable[str] | None = None) -> None:
        """Start the named processes (None: all) that do not run, and wait: backends, their contents, then workers."""
        wanted: Iterable[str | None] = [None] if names is None else names
        selected = dict.fromkeys(each for name in wanted for each in self.select(name))
        local = [self._backends[name] for name in selected if name in self._backends]
        ours = [self._workers[name] for name in selected if name in self._workers]
        external = self._external if names is None else []
        with self._locked(), report() as progress:
            self._check_host(local)
            for package in [backend.package for backend in local if backend.package]:
                if not jars.is_fetched(self.settings.home, package):
                    with progress.step(f"fetch {package}"):
                        jars.fetch(self.settings.home, package)
            token_keys.ensure(self.settings)
            if any(backend.name == "mariadb-0" for backend in local):
                self._fetch_galera(progress)
            self._supervisor.launch(list(self._programs.values()))
            self._start(local)
            for backend in self._ready_backends(local, progress):
                backend.wait_for_peers()
                self._prepare(base_name(backend.name), progress)
            for each in external:
                self._prepare(each.name, progress)
            self._start(ours)
            list(self._await_ready(ours, progress))

    @contextmanager
    def ensure_running(self, names: Iterable[str] | None = None) -> Iterator[None]:
        """Start the named processes (None: all) if the stack is down, and stop it afterwards. A running stack stays."""
        was_down = not self._supervisor.processes()
        before = signal.signal(signal.SIGTERM, sigterm_as_interrupt)
        try:
            if was_down:
                self.up(names)
            yield
        finally:
            if was_down:
                self.down()
            signal.signal(signal.SIGTERM, before)

    def fetch_monitoring(self) -> None:
        """Fetch Prometheus and Alertmanager where neither the machine nor the stack's home has them."""
        if not monitoring_programs.is_here(self.settings.home):
            with report() as progress, progress.step("fetch Prometheus and Alertmanager"):
                monitoring_programs.fetch(self.settings.home)

    def monitor(self) -> None:
        """Start Prometheus and Alertmanager, and the stack if it is down, and wait until they are ready."""
        self.fetch_monitoring()
        if not self._supervisor.processes():
            self.up()
        with self._locked(), report() as progress:
            self._start(list(self._monitoring.values()))
            list(self._await_ready(list(self._monitoring.values()), progress))

    def start(self, name: str) -> None:
        """Start one process, or all workers of that name, and wait until it is ready. The stack must be up."""
        programs = [self._programs[each] for each in self.select(name)]
        with report() as progress:
            self._start(programs)
            list(self._await_ready(programs, progress))

    def stop(self, *names: str) -> None:
        """Stop processes at once and gracefully; a name may be that of all workers. The stack must be up."""
        selected = [each for name in names for each in self.select(name)]
        self._require_running()
        with report() as progress, progress.step(f"stop {', '.join(names)}"):
            self._stop(selected)

    def restart(self, name: str) -> None:
        self.stop(name)
        self.start(name)

    def pid(self, name: str) -> int:
        pid = self._supervisor.processes().get(name, {}).get("pid")
        if not pid:
            raise StackError(f"{name} does not run: see `playhead status`")
        return int(pid)

    def down(self) -> None:
        """Stop everything: monitoring, then workers, then backends. Idempotent."""
        running = self._supervisor.processes()
        if not running:
            self._supervisor.end_leftovers()
            return
        with defer_signals(), report() as progress, progress.step(f"stop {self.settings.stack}"):
            self._stop([name for name in running if name in self._monitoring])
            self._stop([name for name in running if name not in self._backends])
            self._stop([name for name in running if name in self._backends])
            self._supervisor.shut_down()

    def wipe(self) -> int:
        """Stop the stack and delete all its data; returns the freed bytes."""
        self.down()
        folder = self.settings.folder
        freed = sum(path.lstat().st_blocks * 512 for path in folder.rglob("*"))
        if folder.exists():
            shutil.rmtree(folder)
        return freed

    def status(self) -> list[Status]:
        """The state of every process; empty when the stack is down."""
        with ThreadPoolExecutor() as pool:
            return list(pool.map(self._status, self._supervisor.processes().values()))

    def log(self, name: str) -> Path:
        return self._supervisor.logs / f"{name}.log"

    def log_tail(self, name: str, lines: int = LOG_LINES) -> list[str]:
        log = self.log(name)
        return log.read_text(errors="replace").splitlines()[-lines:] if log.exists() else []

    def select(self, name: str | None) -> list[str]:
        """The processes of a name: itself, or all workers of that process; None: all."""
        chosen = [each for each in self._programs if name in (None, each, base_name(each))]
        if not chosen:
            raise StackError(f"unknown process {name!r}: choose from {', '.join(self._programs)}")
        return chosen

    def _check_host(self, local: Sequence[Program]) -> None:
        preflight.require_disk(self.settings.folder)
        if self.settings.local_cassandra:
            nodes.require_same(self.settings, "cassandra", "Cassandra", self.settings.cassandra_nodes)
        if self.settings.local_mariadb:
            nodes.require_same(self.settings, "mariadb", "MariaDB", self.settings.mariadb_nodes)
        running = self._supervisor.processes()
        missing = [backend for backend in local if running.get(backend.name, {}).get("pid", 0) == 0]
        if any(backend.package for backend in missing):
            preflight.require_java()
        if not all(jars.is_fetched(self.settings.home, backend.package) for backend in missing if backend.package):
            preflight.require_maven()

    def _fetch_galera(self, progress: Report) -> None:
        if not mariadb_cluster.is_fetched(self.settings.home):
            with progress.step("fetch Galera"):
                mariadb_cluster.fetch(self.settings.home)

    def _start(self, programs: Sequence[Program]) -> None:
        """All nodes of a backend are configured before the first of them starts."""
        running = self._require_running()
        missing = [program for program in programs if running[program.name]["statename"] not in LIVE]
        for _, group in groupby(missing, lambda program: base_name(program.name)):
            starting = list(group)
            for program in starting:
                for port in program.ports:
                    preflight.require_free_port(port, program.name, program.host)
                program.configure()
            for program in starting:
                self._supervisor.start(program.name)

    def _require_running(self) -> dict[str, dict[str, Any]]:
        if running := self._supervisor.processes():
            return running
        raise StackError(f"stack {self.settings.stack} is down: run `playhead up`")

    def _stop(self, names: Sequence[str]) -> None:
        running = self._supervisor.processes()
        self._supervisor.stop([name for name in names if running.get(name, {}).get("statename") in LIVE])

    def _prepare(self, name: str, progress: Report) -> None:
        backend = backends.BY_NAME[name]
        if not backend.contents:
            return
        with progress.step(f"{name}: {backend.contents}"):
            backend.prepare(self.settings)

    def _ready_backends(self, local: Sequence[Program], progress: Report) -> Iterator[Program]:
        """One node of each backend whose nodes are all ready; none if only some of its nodes were chosen."""
        awaited = {base_name(name): set(self.select(base_name(name))) for name in self._backends}
        for backend in self._await_ready(local, progress):
            nodes = awaited[base_name(backend.name)]
            nodes.discard(backend.name)
            if not nodes:
                yield backend

    def _await_ready(self, programs: Sequence[Program], progress: Report) -> Iterator[Program]:
        """Yield each program when it is ready. StackError if one fails or takes too long."""
        started = time.monotonic()
        finish = {program.name: progress.begin(f"{program.name} ready") for program in programs}
        while finish:
            running = self._supervisor.processes()
            for program in [program for program in programs if program.name in finish]:
                if _is_ready(program):
                    finish.pop(program.name)()
                    yield program
                elif running[program.name]["statename"] == "FATAL":
                    raise self._startup_error(program.name, "keeps exiting")
                elif time.monotonic() > started + program.ready_within_s:
                    raise self._startup_error(program.name, f"does not answer after {program.ready_within_s} s")
            time.sleep(POLL_S)

    def _startup_error(self, name: str, what: str) -> StackError:
        tail = "".join(f"\n    {line}" for line in self.log_tail(name))
        return StackError(f"{name} {what}: see `playhead logs {name}`, then `playhead restart {name}`{tail}")

    def _status(self, process: Mapping[str, Any]) -> Status:
        program = self._programs.get(process["name"])
        state = STATES[process["statename"]]
        if state == "starting" and program and _is_ready(program):
            state = "ready"
        elif process["statename"] == "RUNNING" and state != "ready":
            state = "silent"
        return Status(
            name=process["name"],
            state=state,
            pid=process["pid"] or None,
            uptime_s=process["now"] - process["start"] if process["pid"] else 0,
            port=program.ports[0] if program else None,
        )

    @contextmanager
    def _locked(self) -> Iterator[None]:
        self.settings.folder.mkdir(parents=True, exist_ok=True)
        with (self.settings.folder / ".up.lock").open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield


def _is_ready(program: Program) -> bool:
    try:
        return program.is_ready()
    except OSError:
        return False
