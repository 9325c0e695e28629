"""The smallest worker: answers /metrics with the PLAYHEAD_ variables it was given. ``STUB`` is its row."""

import os
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, HTTPServer

from domain.processes import Process
from infra.runtime.settings import Settings

STUB = Process(
    name="stub",
    command=("-m", "tests.integration.infra.stub_worker"),
    does="Shows its settings.",
    port=1,
    needs=(),
)


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        found = self.path == "/metrics"
        self.send_response(HTTPStatus.OK if found else HTTPStatus.NOT_FOUND)
        self.end_headers()
        given = [f"{name}={value}\n" for name, value in os.environ.items() if name.startswith("PLAYHEAD_")]
        self.wfile.write("".join(given).encode())


if __name__ == "__main__":
    settings = Settings()
    HTTPServer((settings.bind, settings.process_port(STUB)), Handler).serve_forever()
