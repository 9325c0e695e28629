"""The command line tools of Prometheus and Alertmanager."""

import subprocess

from infra.local import monitoring_programs
from infra.runtime.settings import Settings


def tool(name: str) -> str:
    """Where the program is; fetched when it is missing."""
    home = Settings().home
    monitoring_programs.fetch(home)
    return monitoring_programs.path(home, name)


def run(*command: object) -> None:
    """It must succeed."""
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
