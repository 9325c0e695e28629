"""The edge before a bucket elsewhere: over TLS, without keys, under the name that its certificate has."""

import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from infra.local.edge import PROBE
from infra.local.stack import Stack
from infra.runtime.settings import PORT_BASES, Settings
from tests.integration.edge.conftest import SECRETS, Edge
from tests.support.authority import Authority

FILE = "/abroad/q1/1.m4s"


class Bucket(BaseHTTPRequestHandler):
    """An S3 whose policy admits this machine: to read without a signature, not to list, not to do anything else."""

    protocol_version = "HTTP/1.1"
    asked: list[dict[str, str]]

    def do_GET(self) -> None:
        self.asked.append({name.lower(): text for name, text in self.headers.items()})
        known = self.path in (f"/films/{PROBE}", f"/films{FILE}") and "Authorization" not in self.headers
        body = b"segment" if known else b"<Error><Code>AccessDenied</Code></Error>"
        self.send_response(200 if known else 403)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None: ...


@contextmanager
def served(authority: Authority) -> Iterator[tuple[int, list[dict[str, str]]]]:
    """The port of a bucket, and the headers of all requests to it."""
    asked: list[dict[str, str]] = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("", (Bucket,), {"asked": asked}))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority.server_file())
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server.server_address[1], asked
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def edge_before(port: int, home: Path) -> Iterator[Edge]:
    base = (Settings().port_base or PORT_BASES[Settings().stack]) + 400
    bucket = {"s3_endpoint": f"https://localhost:{port}", "media_bucket": "films"}
    stack = Stack(Settings(stack="abroad", home=home, port_base=base, edge_keys=SECRETS, **bucket), ())  # type: ignore[arg-type]
    try:
        stack.up(["edge"])
        yield Edge(stack, s3=None)  # type: ignore[arg-type]
    finally:
        stack.down()


def test_it_reads_without_keys_and_gives_the_bucket_nothing_of_its_clients(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority = Authority(tmp_path, "authority")
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.ca_file))
    secrets = {"Cookie": "c=1", "Authorization": "Bearer x", "Origin": "https://player.example"}
    with served(authority) as (port, asked), edge_before(port, tmp_path) as edge:
        first, second = (edge.get(FILE, secrets) for _ in range(2))
        foreign = edge.get("/abroad/q1/missing.m4s")
    assert (first.status, first.body, first.headers["X-Cache"]) == (200, b"segment", "MISS")
    assert (second.status, second.body, second.headers["X-Cache"]) == (200, b"segment", "HIT")
    assert (foreign.status, foreign.headers["Retry-After"]) == (503, "2")
    assert [headers["host"] for headers in asked] == [f"localhost:{port}"] * 3
    assert [headers for headers in asked if headers.keys() & {"cookie", "authorization", "origin"}] == []


def test_it_trusts_no_certificate_of_a_stranger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    authority, stranger = (Authority(tmp_path, name) for name in ("authority", "stranger"))
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.ca_file))
    with served(authority) as (port, asked), edge_before(port, tmp_path) as edge:
        monkeypatch.setenv("SSL_CERT_FILE", str(stranger.ca_file))
        edge.stack.stop("edge")
        edge.stack.start("edge")
        before = len(asked)
        assert edge.get(FILE).status == 503
        assert len(asked) == before
