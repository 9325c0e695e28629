"""The backends' jars: Maven downloads them once into ``<home>/packages/<name>/``.

A stamp with the hash of pom.xml marks a complete folder. Each folder appears by a rename, under a lock: two stacks may
start at once, and a failed download leaves nothing behind.
"""

import fcntl
import hashlib
import shutil
import subprocess
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from infra.local.program import StackError

POM = Path(__file__).with_name("pom.xml")


def folder(home: Path, name: str) -> Path:
    return home / "packages" / name


def is_fetched(home: Path, name: str) -> bool:
    stamp = folder(home, name) / ".pom-sha256"
    return stamp.exists() and stamp.read_text() == _pom_hash()


def fetch(home: Path, name: str) -> None:
    """Download the jars of one pom.xml profile, unless they are there."""
    target = folder(home, name)
    with _locked(target.with_name(".lock")):
        if is_fetched(home, name):
            return
        with TemporaryDirectory(dir=target.parent, prefix=f".{name}-") as temporary:
            fresh = Path(temporary) / name
            _copy_dependencies(name, fresh)
            _unpack_archives(fresh)
            (fresh / ".pom-sha256").write_text(_pom_hash())
            shutil.rmtree(target, ignore_errors=True)
            fresh.rename(target)


def _pom_hash() -> str:
    return hashlib.sha256(POM.read_bytes()).hexdigest()


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    # One lock for all packages: Maven's local repository allows one writer.
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _copy_dependencies(profile: str, target: Path) -> None:
    maven = ["mvn", "-q", "-B", "-f", str(POM), "-P", profile]
    run = subprocess.run(
        [*maven, "dependency:copy-dependencies", f"-DoutputDirectory={target}"], capture_output=True, text=True
    )
    if run.returncode:
        output = (run.stdout + run.stderr).splitlines()
        reason = next((line for line in output if "[ERROR]" in line), f"exit code {run.returncode}")
        raise StackError(f"Maven cannot download {profile}: {reason} – check the network and Maven's settings.xml")


def _unpack_archives(target: Path) -> None:
    for archive in target.glob("*.tar.gz"):
        with tarfile.open(archive) as tar:
            tar.extractall(target, filter="data")
        archive.unlink()
