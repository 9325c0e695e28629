"""The gateway: nginx in front of the collector and the services. It has limits for clients that they cannot have."""

import json
from http import HTTPStatus
from pathlib import Path

from domain.processes import Process
from infra.local import nginx
from infra.local.program import LOOPBACK, Program
from infra.runtime.settings import Port, Settings

GATEWAY = nginx.Role("gateway", Port.GATEWAY, Port.GATEWAY_METRICS)
PASSED = (
    "Accept",
    "Accept-Language",
    "Access-Control-Request-Headers",
    "Access-Control-Request-Method",
    "Authorization",
    "Content-Encoding",
    "Content-Type",
    "Cookie",
    "Idempotency-Key",
    "If-Modified-Since",
    "If-None-Match",
    "Origin",
    "Range",
    "Sec-Fetch-Site",
    "User-Agent",
)
"""Headers of a client that a service hears of. What a body needs is nginx's."""
PROBLEMS = {
    404: ("not_found", "There is nothing here."),
    405: ("method_not_allowed", "This address does not take this method."),
    408: ("body_timeout", "The body did not arrive in time."),
    413: ("body_too_large", "The body is too large."),
    429: ("too_many_requests", "Too many requests of one address or key. Wait for Retry-After."),
    431: ("headers_too_large", "The headers are larger than 16 KiB, or one of them than 4 KiB."),
    500: ("internal", "The gateway failed. Send the same request again."),
    501: ("not_implemented", "This method or encoding is not known."),
    503: ("unavailable", "The service does not answer now. Try again later."),
}
"""Code and detail of the gateway's own errors, by status."""


def program(settings: Settings) -> Program:
    return nginx.program(settings, GATEWAY, settings.gateway, lambda folder: write_configuration(settings, folder))


def write_configuration(settings: Settings, folder: Path, access_log: str = "/dev/stdout") -> None:
    services = [process for process in settings.processes if process.public]
    nginx.write_configuration(
        settings,
        GATEWAY,
        folder,
        access_log,
        upstreams="\n".join(_upstream(settings, process) for process in services),
        routes="\n    ".join(_route(path, each) for each in services for path in each.public if path != "/"),
        home=_home({path for each in services for path in each.public}),
        elsewhere=next((process.name for process in services if "/" in process.public), "none"),
        passed="\n    ".join(f"proxy_set_header {name} $http_{name.lower().replace('-', '_')};" for name in PASSED),
        problems="\n    ".join(
            f"\"{reader} {status}\" '{text}';"
            for status in PROBLEMS
            for reader, text in (("program", _problem(status)), ("person", _page(status)))
        ),
        proxies="\n    ".join(f"{each} 1;" for each in sorted(settings.gateway_trusted_proxies)),
        trusted="\n".join(f"set_real_ip_from {each};" for each in sorted(settings.gateway_trusted_proxies)),
        per_address=settings.gateway_requests_per_address,
        per_key=settings.gateway_requests_per_key,
    )


def _problem(status: int) -> str:
    """RFC 9457, and the ``message`` that clients of the collector read."""
    code, detail = PROBLEMS[status]
    title = HTTPStatus(status).phrase
    known = {"type": "about:blank", "title": title, "status": status, "detail": detail, "code": code, "message": detail}
    return json.dumps(known, separators=(",", ":"))


def _page(status: int) -> str:
    """What a browser shows that wanted a page. It has no style: the services that have one may be away."""
    title, detail = HTTPStatus(status).phrase, PROBLEMS[status][1]
    viewport = '<meta name="viewport" content="width=device-width">'
    head = f'<meta charset="utf-8">{viewport}<title>{title} · Playhead</title>'
    return f'<!doctype html><html lang="en">{head}<h1>{title}</h1><p>{detail}</p></html>'


def _home(public: set[str]) -> str:
    """Where somebody is led who knows the address alone. Not absolute: before us may be a balancer with another one."""
    if "/" in public or "/account" not in public:
        return ""
    return "location = / { absolute_redirect off; return 302 /account; }"


def _route(path: str, process: Process) -> str:
    return f"~^{path}(/|$) {process.name};"


def _upstream(settings: Settings, process: Process) -> str:
    """Idle connections are closed before the service does it: a request on one that it is just closing would fail."""
    server = f"{LOOPBACK}:{settings.process_port(process)}"
    return f"upstream {process.name} {{ server {server} max_fails=0; keepalive 32; keepalive_timeout 2s; }}"
