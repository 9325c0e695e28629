"""The gateway: nginx in front of the collector and the services. It has limits for clients that they cannot have."""

from pathlib import Path

from domain.processes import Process
from infra.local import nginx
from infra.local.program import LOOPBACK, Program
from infra.runtime.settings import Port, Settings

GATEWAY = nginx.Role("gateway", Port.GATEWAY, Port.GATEWAY_METRICS)


def program(settings: Settings) -> Program:
    return nginx.program(settings, GATEWAY, settings.gateway, lambda folder: write_configuration(settings, folder))


def write_configuration(settings: Settings, folder: Path, access_log: str = "/dev/stdout") -> None:
    services = [process for process in settings.processes if process.public]
    console = next((process.name for process in services if "/" in process.public), "none")
    nginx.write_configuration(
        settings,
        GATEWAY,
        folder,
        access_log,
        upstreams="\n".join(_upstream(settings, process) for process in services),
        routes="\n    ".join(_route(path, each) for each in services for path in each.public if path != "/"),
        # The console has no accounts: it is for this machine.
        elsewhere=console if settings.on_loopback else "none",
        per_address=settings.gateway_requests_per_address,
        per_key=settings.gateway_requests_per_key,
    )


def _route(path: str, process: Process) -> str:
    return f"~^{path}(/|$) {process.name};"


def _upstream(settings: Settings, process: Process) -> str:
    """Idle connections are closed before the service does it: a request on one that it is just closing would fail."""
    server = f"{LOOPBACK}:{settings.process_port(process)}"
    return f"upstream {process.name} {{ server {server} max_fails=0; keepalive 32; keepalive_timeout 2s; }}"
