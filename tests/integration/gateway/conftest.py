"""The gateway before stand-ins for the services, which record what reaches them. One service is away."""

import http.client
import json
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from typing import Any, NamedTuple

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from domain.processes import BY_NAME
from infra.local.stack import Stack
from infra.runtime.settings import PORT_BASES, Port, Settings

PRESENT = ("collector", "history-api", "ops")
"""The gateway has no route to ops."""
PER_ADDRESS, PER_KEY = 5, 10


class Answer(NamedTuple):
    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def code(self) -> str:
        return str(json.loads(self.body)["code"])


@dataclass(slots=True)
class Gateway:
    stack: Stack
    reached: list[tuple[str, str, Mapping[str, str], bytes]] = field(default_factory=list)
    """Service, address, headers and body of every request that came through."""
    _addresses: Iterator[int] = field(default_factory=count)

    @property
    def port(self) -> int:
        return self.stack.settings.port(Port.GATEWAY)

    def ask(
        self,
        path: str,
        method: str = "GET",
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        source: str | None = None,
    ) -> Answer:
        """From an address that nobody else has, unless one is given: all of 127.0.0.0/8 are this machine's."""
        source = source or f"127.1.{next(self._addresses) // 250}.{next(self._addresses) % 250 + 1}"
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60, source_address=(source, 0))
        try:
            connection.request(method, path, body, headers or {})
            answer = connection.getresponse()
            return Answer(answer.status, answer.headers, answer.read())
        finally:
            connection.close()

    def paths(self) -> list[str]:
        return [path for _, path, _, _ in self.reached]

    def counts(self) -> dict[tuple[str, ...], float]:
        """Of every series: the values of its labels."""
        text = httpx.get(f"http://127.0.0.1:{self.stack.settings.port(Port.GATEWAY_METRICS)}/metrics").text
        samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
        return {tuple(sample.labels.values()): sample.value for sample in samples}


@pytest.fixture(scope="package")  # other tests use these ports, too
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    outer = Settings()
    settings = Settings(
        stack="gateway",
        home=tmp_path_factory.mktemp("gateway"),
        port_base=(outer.port_base or PORT_BASES[outer.stack]) + 300,
        gateway_requests_per_address=PER_ADDRESS,
        gateway_requests_per_key=PER_KEY,
    )
    gateway = Gateway(Stack(settings, ()))
    servers = [_stand_in(gateway, name) for name in PRESENT]
    try:
        gateway.stack.up(["gateway"])
        yield gateway
    finally:
        gateway.stack.down()
        for server in servers:
            server.shutdown()
            server.server_close()


def _stand_in(gateway: Gateway, service: str) -> ThreadingHTTPServer:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1  # else the body waits for the acknowledgement of the head

        def do_GET(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            gateway.reached.append((service, self.path, dict(self.headers), body))
            self.send_response(200)
            self.send_header("Content-Length", str(len(service)))
            self.send_header("X-Request-Id", "of the service")
            self.end_headers()
            self.wfile.write(service.encode())

        do_POST = do_GET

        def log_message(self, *_: Any) -> None:
            """Silent."""

    server = ThreadingHTTPServer(("127.0.0.1", gateway.stack.settings.process_port(BY_NAME[service])), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server
