"""What the stack and its tests fetch: once, into ``<home>/packages/<name>/``, then never again.

A stamp marks a complete folder and its version. Each folder appears by a rename, under a lock, so that
two stacks may start at once and a broken download leaves nothing.
"""

import fcntl
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory


def folder(home: Path, name: str) -> Path:
    return home / "packages" / name


def is_fetched(home: Path, name: str, version: str) -> bool:
    stamp = folder(home, name) / ".version"
    return stamp.exists() and stamp.read_text() == version


def fetch(home: Path, name: str, version: str, fill: Callable[[Path], None]) -> Path:
    """The folder of that name and version. ``fill`` gets an empty one to put it into where it is missing."""
    target = folder(home, name)
    with _locked(target.with_name(".lock")):
        if not is_fetched(home, name, version):
            with TemporaryDirectory(dir=target.parent, prefix=f".{name}-") as temporary:
                fresh = Path(temporary) / name
                fresh.mkdir()
                fill(fresh)
                (fresh / ".version").write_text(version)
                shutil.rmtree(target, ignore_errors=True)
                fresh.rename(target)
    return target


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    # One lock for all packages: Maven's local repository allows one writer.
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
