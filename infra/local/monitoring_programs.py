"""Prometheus, Alertmanager and their tools: the machine's own, else Debian's packages, unpacked in the stack's home.

apt-get needs no root for that: it gets separate lists, cache and state, nothing is installed, and Debian's
signatures are checked as ever.
"""

import os
import shutil
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory

from infra.local import packages
from infra.local.program import StackError

PACKAGE = "monitoring"
DEBIAN_PACKAGES = ("prometheus", "prometheus-alertmanager")
PROGRAMS = {
    "prometheus": ("prometheus",),
    "promtool": ("promtool",),
    "alertmanager": ("prometheus-alertmanager", "alertmanager"),
    "amtool": ("amtool",),
}
"""Debian's name first."""


def path(home: Path, program: str) -> str:
    """Where the program is, or will be once it is fetched."""
    names = PROGRAMS[program]
    own = next(filter(None, map(shutil.which, names)), None)
    return own or str(packages.folder(home, PACKAGE) / "usr" / "bin" / names[0])


def is_here(home: Path) -> bool:
    return all(os.access(path(home, program), os.X_OK) for program in PROGRAMS)


def fetch(home: Path) -> None:
    """Make all of them available; without effect when they already are."""
    if not is_here(home):
        packages.fetch(home, PACKAGE, " ".join(DEBIAN_PACKAGES), _unpack)


def _unpack(target: Path) -> None:
    if not (shutil.which("apt-get") and shutil.which("dpkg-deb")):
        raise StackError(
            "Prometheus and Alertmanager are missing, and so is apt-get, which would fetch them: "
            f"install them so that {', '.join(PROGRAMS)} are on PATH"
        )
    with TemporaryDirectory(dir=target.parent) as temporary:
        work = Path(temporary)
        for each in ("state/lists/partial", "cache/archives/partial"):
            (work / each).mkdir(parents=True)
        (work / "status").touch()
        options = {
            "Dir::State": work / "state",
            "Dir::State::Lists": work / "state" / "lists",
            "Dir::State::status": work / "status",
            "Dir::Cache": work / "cache",
            "Debug::NoLocking": "1",
            "APT::Sandbox::User": "",
            "APT::Update::Error-Mode": "any",
        }
        apt = ["apt-get", "-q", *(f"-o{name}={value}" for name, value in options.items())]
        _run([*apt, "update"], work)
        _run([*apt, "download", *DEBIAN_PACKAGES], work)
        for archive in work.glob("*.deb"):
            _run(["dpkg-deb", "-x", str(archive), str(target)], work)


def _run(command: list[str], folder: Path) -> None:
    run = subprocess.run(command, cwd=folder, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    if run.returncode:
        output = (run.stderr + run.stdout).splitlines()
        reason = next((line for line in output if line.startswith("E:")), f"exit code {run.returncode}")
        raise StackError(f"apt-get could not fetch Prometheus and Alertmanager: {reason} – check the network")
