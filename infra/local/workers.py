"""Our own processes as programs of the stack, from the table of processes and the settings."""

import sys
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

import httpx
from pydantic import SecretStr

from domain.processes import Process
from infra.local import loopback
from infra.local.program import LOOPBACK, Program
from infra.runtime.settings import Settings

IN_BACKGROUND = ("nice", "-n", "5")
"""On one machine, what answers people goes before what nobody waits for: a flood of events slows no page down."""


def programs(settings: Settings, processes: Sequence[Process]) -> tuple[Program, ...]:
    return tuple(
        _program(settings, process, worker) for process in processes for worker in settings.worker_numbers(process)
    )


def addresses(settings: Settings, process: Process) -> list[str]:
    """Where each of the process's workers serves HTTP."""
    return [f"{LOOPBACK}:{settings.process_port(process, worker)}" for worker in settings.worker_numbers(process)]


def _program(settings: Settings, process: Process, worker: int) -> Program:
    port = settings.process_port(process, worker)
    return Program(
        name=process.worker_name(worker),
        command=(
            *(IN_BACKGROUND if process.command[1].startswith("streams.") else ()),
            sys.executable,
            *(part.replace("{worker}", str(worker)) for part in process.command),
        ),
        ports=(port,),
        is_ready=lambda: _is_ready(port),
        environment=environment(settings),
    )


def environment(settings: Settings) -> dict[str, str]:
    """Environment variables that give another process these settings: all that were set.

    They include those of ``.env``, which the process therefore does not read.
    """
    given = {name: getattr(settings, name) for name in sorted(settings.model_fields_set)}
    given |= {"stack": settings.stack, "home": settings.home.absolute()}
    variables = {f"PLAYHEAD_{name.upper()}": _text(value) for name, value in given.items()}
    return {"PLAYHEAD_ENV_FILE": "", **variables}


def _text(
    value: str | int | float | Path | SecretStr | Mapping[str, int | SecretStr] | Collection[str] | None,
) -> str:
    match value:
        case None:
            return ""
        case SecretStr():
            return value.get_secret_value()
        case dict():
            return ",".join(f"{name}={_text(each)}" for name, each in value.items())
        case tuple() | frozenset():
            return ",".join(sorted(value))
        case _:
            return str(value)


def _is_ready(port: int) -> bool:
    """Ask for readiness; a worker without ``/readyz`` is ready when it serves its metrics."""
    address = f"http://{LOOPBACK}:{port}"
    answer = loopback.ask(f"{address}/readyz")
    if answer is not None and answer.status_code == httpx.codes.NOT_FOUND:
        answer = loopback.ask(f"{address}/metrics")
    return answer is not None and answer.is_success
