"""Prometheus, Alertmanager and their tools: the machine's own, else Debian's packages, unpacked in the stack's home."""

import os
import shutil
from pathlib import Path

from infra.local import debian, packages

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
    instead = f"install them so that {', '.join(PROGRAMS)} are on PATH"
    debian.unpack(target, DEBIAN_PACKAGES, "Prometheus and Alertmanager are", instead)
