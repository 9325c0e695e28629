"""The smallest worker: answers /metrics on the collector's port, with the PLAYHEAD_ variables it was given."""

import os
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, HTTPServer

from infra.runtime.settings import Port, Settings


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        found = self.path == "/metrics"
        self.send_response(HTTPStatus.OK if found else HTTPStatus.NOT_FOUND)
        self.end_headers()
        given = [f"{name}={value}\n" for name, value in os.environ.items() if name.startswith("PLAYHEAD_")]
        self.wfile.write("".join(given).encode())


if __name__ == "__main__":
    settings = Settings()
    HTTPServer((settings.bind, settings.port(Port.COLLECTOR)), Handler).serve_forever()
