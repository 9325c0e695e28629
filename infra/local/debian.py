"""Programs from Debian's packages, unpacked in the stack's home.

apt-get needs no root for that: it gets separate lists, cache and state, nothing is installed, and Debian's
signatures are checked as ever.
"""

import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from infra.local.program import StackError


def unpack(target: Path, packages: Sequence[str], what: str, instead: str) -> None:
    """Download the packages and unpack them into ``target``. The StackError says ``what`` is missing, and what to do
    ``instead`` where there is no apt."""
    if not (shutil.which("apt-get") and shutil.which("dpkg-deb")):
        raise StackError(f"{what} missing, and so is apt-get, which would fetch them: {instead}")
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
        _run([*apt, "update"], work, what)
        _run([*apt, "download", *packages], work, what)
        for archive in work.glob("*.deb"):
            _run(["dpkg-deb", "-x", str(archive), str(target)], work, what)


def _run(command: list[str], folder: Path, what: str) -> None:
    run = subprocess.run(command, cwd=folder, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    if run.returncode:
        output = (run.stderr + run.stdout).splitlines()
        reason = next((line for line in output if line.startswith("E:")), f"exit code {run.returncode}")
        raise StackError(f"{what} missing, and apt-get could not fetch them: {reason} – check the network")
