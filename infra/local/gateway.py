"""The gateway: nginx in front of the collector and the services. It has limits for clients that they cannot have."""

from pathlib import Path

from domain.processes import BY_NAME
from infra.local import nginx
from infra.local.program import LOOPBACK, Program
from infra.runtime.settings import Port, Settings

GATEWAY = nginx.Role("gateway", Port.GATEWAY, Port.GATEWAY_METRICS)
SERVICES = ("collector", "history-api", "playback", "ops")
"""Behind it; each is an upstream of that name."""


def program(settings: Settings) -> Program:
    return nginx.program(settings, GATEWAY, settings.gateway, lambda folder: write_configuration(settings, folder))


def write_configuration(settings: Settings, folder: Path, access_log: str = "/dev/stdout") -> None:
    nginx.write_configuration(
        settings,
        GATEWAY,
        folder,
        access_log,
        upstreams="\n".join(_upstream(settings, name) for name in SERVICES),
        # The console has no accounts: it is for this machine.
        elsewhere="ops" if settings.on_loopback else "none",
        per_address=settings.gateway_requests_per_address,
        per_key=settings.gateway_requests_per_key,
    )


def _upstream(settings: Settings, name: str) -> str:
    """Idle connections are closed before the service does it: a request on one that it is just closing would fail."""
    server = f"{LOOPBACK}:{settings.process_port(BY_NAME[name])}"
    return f"upstream {name} {{ server {server} max_fails=0; keepalive 32; keepalive_timeout 2s; }}"
