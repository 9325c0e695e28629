"""One supervisord per stack: its configuration files and its socket.

A shell script starts each program, ``<stack folder>/supervisor/<name>.sh``: supervisord's own configuration cannot hold
every password, and a script can be run by hand. The configuration contains the script's hash, so that supervisord
notices a change.
"""

import contextlib
import hashlib
import os
import select
import shlex
import subprocess
import sys
import time
import xmlrpc.client
from collections.abc import Collection, Iterator, Sequence
from http.client import HTTPException
from pathlib import Path
from typing import Any

import psutil
from supervisor.xmlrpc import Faults, SupervisorTransport
from tenacity import retry, retry_if_exception_type, stop_after_delay, wait_fixed

from infra.local.program import Program, StackError
from infra.runtime.settings import ROOT

CONFIG = """\
[supervisord]
logfile=%(here)s/supervisord.log
pidfile=%(here)s/supervisord.pid
childlogdir=%(here)s
[unix_http_server]
file={socket}
chmod=0700
[rpcinterface:supervisor]
supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface
"""
# A process counts as started after 12 s. supervisord gives up after four exits in a row before that; it pauses 1, 2 and
# 3 s between the starts.
PROGRAM = """
[program:{name}]
command=/bin/sh {script}
environment=LAUNCH_SCRIPT_SHA256="{digest}"
directory={root}
autostart=false
autorestart=true
startsecs=12
startretries=3
stopwaitsecs={stop_within_s}
stopasgroup=true
killasgroup=true
redirect_stderr=true
stdout_logfile={log}
stdout_logfile_maxbytes=10MB
stdout_logfile_backups=3
"""
END_WITHIN_S = 120
POLL_S = 0.05
LONGEST_SOCKET_PATH = 90  # of 107: supervisord binds a longer, temporary name first


class Supervisor:
    def __init__(self, stack_folder: Path) -> None:
        self.folder = stack_folder / "supervisor"
        self.logs = stack_folder / "logs"
        self.socket = self.folder / "supervisor.sock"
        if len(str(self.socket)) > LONGEST_SOCKET_PATH:
            digest = hashlib.sha256(str(self.socket).encode()).hexdigest()
            self.socket = Path(f"/tmp/playhead-{digest[:16]}.sock")

    def call(self, method: str, *arguments: object) -> Any:
        """One XML-RPC call. ConnectionError if no supervisord listens."""
        transport = SupervisorTransport(serverurl=f"unix://{self.socket}")
        try:
            with xmlrpc.client.ServerProxy("http://localhost", transport=transport) as proxy:
                return getattr(proxy.supervisor, method)(*arguments)
        except (OSError, HTTPException) as error:
            raise ConnectionError(f"no supervisord listens on {self.socket}") from error

    def processes(self) -> dict[str, dict[str, Any]]:
        """supervisord's process information by name; empty when it does not run."""
        try:
            return {process["name"]: process for process in self.call("getAllProcessInfo")}
        except ConnectionError:
            return {}

    def start(self, name: str) -> None:
        """Start a process without waiting. Does nothing if it runs."""
        with _ignored(Faults.ALREADY_STARTED):
            self.call("startProcess", name, False)

    def stop(self, names: Collection[str]) -> None:
        """Stop processes at once and wait for the last one's end. Passes over those that do not run.

        supervisord could wait by itself, but would take a whole core for it: it polls without a pause.
        """
        for name in names:
            with _ignored(Faults.NOT_RUNNING):
                self.call("stopProcess", name, False)
        while any(each["name"] in names and each["statename"] == "STOPPING" for each in self.processes().values()):
            time.sleep(POLL_S)

    def launch(self, programs: Sequence[Program]) -> None:
        """Start supervisord with these programs, all stopped, or reload the running one."""
        self._write(programs)
        try:
            self._reload({program.name for program in programs})
        except ConnectionError:
            self.end_leftovers()
            self._start()

    def shut_down(self) -> None:
        """Stop supervisord and everything under it; returns after its end."""
        pid = self.call("getPID")
        self.call("shutdown")
        _await_end(pid)

    def end_leftovers(self) -> None:
        """Kill processes of a supervisord that was killed; they would keep our ports and files."""
        url = f"unix://{self.socket}"
        found = psutil.process_iter(["environ"])  # None for another user's
        leftovers = [each for each in found if (each.info["environ"] or {}).get("SUPERVISOR_SERVER_URL") == url]
        for process in leftovers:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        for process in leftovers:
            _await_end(process.pid)

    def _write(self, programs: Sequence[Program]) -> None:
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.logs.mkdir(parents=True, exist_ok=True)
        config = CONFIG.format(socket=_escaped(self.socket))
        for program in programs:
            script = self.folder / f"{program.name}.sh"
            exports = [f"export {name}={shlex.quote(value)}\n" for name, value in program.environment.items()]
            text = "".join([*exports, f"exec {shlex.join(program.command)}\n"])
            script.touch(mode=0o600)
            script.write_text(text)
            config += PROGRAM.format(
                name=program.name,
                script=_escaped(shlex.quote(str(script))),
                digest=hashlib.sha256(text.encode()).hexdigest(),
                root=_escaped(ROOT),
                stop_within_s=program.stop_within_s,
                log=_escaped(self.logs / f"{program.name}.log"),
            )
        (self.folder / "supervisord.conf").write_text(config)

    def _start(self) -> None:
        self.socket.unlink(missing_ok=True)
        # Workers get their settings from their scripts, not from the shell that starts the stack.
        environment = {name: value for name, value in os.environ.items() if not name.startswith("PLAYHEAD_")}
        command = [sys.executable, "-m", "supervisor.supervisord", "-c", str(self.folder / "supervisord.conf")]
        run = subprocess.run(command, capture_output=True, text=True, env=environment)
        if run.returncode:
            raise StackError(f"supervisord did not start: {(run.stdout + run.stderr).strip()}")
        self._await_start()

    @retry(retry=retry_if_exception_type(ConnectionError), wait=wait_fixed(0.05), stop=stop_after_delay(60))
    def _await_start(self) -> None:
        self.call("getState")

    def _reload(self, programs: set[str]) -> None:
        """Load new and changed programs. Changed ones are stopped; all others keep running."""
        [[added, changed, removed]] = self.call("reloadConfig")
        surplus = [name for name in removed if base_name(name) in {base_name(program) for program in programs}]
        self.stop((*changed, *surplus))
        for name in (*changed, *surplus):
            self.call("removeProcessGroup", name)
        for name in (*added, *changed):
            self.call("addProcessGroup", name)


def base_name(name: str) -> str:
    """``history`` of ``history-3``."""
    stem, _, number = name.rpartition("-")
    return stem if number.isdigit() else name


def _await_end(pid: int) -> None:
    """Return as soon as the process has ended. Until its parent notices, takes seconds in some containers."""
    with contextlib.suppress(ProcessLookupError), open(os.pidfd_open(pid)) as process:
        select.select([process], [], [], END_WITHIN_S)


@contextlib.contextmanager
def _ignored(fault: int) -> Iterator[None]:
    try:
        yield
    except xmlrpc.client.Fault as error:
        if error.faultCode != fault:
            raise


def _escaped(value: object) -> str:
    return str(value).replace("%", "%%")
