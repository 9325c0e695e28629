"""The edge when it has too much: too many slow clients, more files than its cache may hold."""

import http.client
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from infra.local.stack import Stack
from infra.runtime.settings import PORT_BASES, Settings
from tests.integration.edge.conftest import SECRETS, Edge
from tests.support.pipeline import eventually

MIB = 2**20
CONNECTIONS = 128
"""That one address may have open."""


def slow_reader(edge: Edge, path: str) -> socket.socket:
    """Asks for a file and reads none of it."""
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client.connect(("127.0.0.1", edge.port))
    client.sendall(f"GET /t/{edge.token('slow')}{path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    return client


def status_from(edge: Edge, source: str, path: str) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", edge.port, timeout=60, source_address=(source, 0))
    try:
        connection.request("GET", f"/t/{edge.token('slow')}{path}")
        return connection.getresponse().status
    finally:
        connection.close()


def test_slow_readers_of_one_address_hold_off_only_that_address_and_not_for_long(edge: Edge) -> None:
    large, small = "/slow/q1/large.m4s", "/slow/q1/small.m4s"
    edge.put(large, bytes(16 * MIB))
    edge.put(small)
    assert {edge.get(large).status, edge.get(small).status} == {200}
    with ExitStack() as held:
        for _ in range(CONNECTIONS):
            held.enter_context(slow_reader(edge, large))
        eventually(lambda: status_from(edge, "127.0.0.1", small) == 429)
        assert status_from(edge, "127.0.0.2", small) == 200
        eventually(lambda: status_from(edge, "127.0.0.1", small) == 200)  # it has cut them off


@pytest.fixture
def small(edge: Edge, tmp_path: Path) -> Iterator[Edge]:
    """An edge before the same bucket, whose cache may hold 16 MiB."""
    outer = Settings()
    base = (outer.port_base or PORT_BASES[outer.stack]) + 400
    own = {"stack": "small", "home": tmp_path, "port_base": base, "edge_keys": SECRETS, "edge_cache_mb": 16}
    stack = Stack(Settings(**own, s3_endpoint=edge.stack.settings.s3), ())  # type: ignore[arg-type]
    try:
        stack.up(["edge"])
        yield Edge(stack, edge.s3)
    finally:
        stack.down()


def test_a_full_cache_drops_what_was_not_asked_for_longest(small: Edge) -> None:
    paths = [f"/full/q1/{number}.m4s" for number in range(24)]
    cache = small.stack.settings.folder / "edge" / "cache"

    def held() -> int:
        return sum(file.stat().st_size for file in cache.rglob("*") if file.is_file())

    for path in paths:
        small.put(path, bytes(MIB))
    assert {small.get(path).status for path in paths} == {200}
    eventually(lambda: held() <= 16 * MIB)
    assert small.get(paths[-1]).headers["X-Cache"] == "HIT"
    first = small.get(paths[0])
    assert (first.status, len(first.body), first.headers["X-Cache"]) == (200, MIB, "MISS")
