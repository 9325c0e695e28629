"""What players get while the object store is away, and what remains of the edge when a part of it dies."""

import os
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.integration.edge.conftest import SECRETS, Edge
from tests.support.pipeline import eventually

CACHED, STALE = "/away/q1/cached.m4s", "/away/q1/stale.m4s"


@pytest.fixture(scope="module")
def alone(edge: Edge) -> Iterator[Edge]:
    """The edge without its bucket, of which it has two files; one of them has expired."""
    edge.put(CACHED)
    edge.put(STALE, cache_control="max-age=1")
    edge.get(CACHED)
    edge.get(STALE)
    edge.stack.stop("seaweedfs")
    yield edge
    edge.stack.start("seaweedfs")


def test_what_is_cached_plays_on(alone: Edge) -> None:
    assert alone.get(CACHED)[0::2] == (200, b"segment")
    assert alone.get(CACHED, {"Range": "bytes=1-3"})[0::2] == (206, b"egm")


def test_what_has_expired_plays_on_too(alone: Edge) -> None:
    eventually(lambda: alone.get(STALE).headers["X-Cache"] == "STALE")
    assert alone.get(STALE).body == b"segment"


def test_what_is_not_cached_fails_clearly_and_soon_is_worth_another_try(alone: Edge) -> None:
    before = alone.counts()["playhead_edge_origin_requests_total", "error"]
    status, headers, _ = alone.get("/away/q1/cold.m4s")
    assert (status, headers["Retry-After"], headers["Cache-Control"]) == (503, "2", "no-store")
    assert headers["Access-Control-Allow-Origin"] == "*"
    assert alone.counts()["playhead_edge_origin_requests_total", "error"] == before + 1


@pytest.mark.parametrize(
    "forge",
    [
        lambda edge: f"/t/{edge.token('other')}{CACHED}",
        lambda edge: f"/t/{edge.token('away', life=-1)}{CACHED}",
        lambda edge: f"/t/{edge.token('away', quality=0)}{CACHED}",
        lambda edge: f"/t/{edge.token('away', quality=2)}/away/q3/cached.m4s",
        lambda edge: f"/t/{edge.token('away').split('.')[0]}.{edge.token('away', life=70).split('.')[1]}{CACHED}",
        lambda edge: f"/t/{edge.token('away')[:-1]}-{CACHED}",
        lambda edge: f"/t/{edge.token('away')}A{CACHED}",
        lambda edge: f"/t/{edge.token('away').split('.')[0]}{CACHED}",
        lambda edge: f"/t/{edge.token('away').split('.')[0]}.{CACHED}",
        lambda edge: f"/t/.{edge.token('away').split('.')[1]}{CACHED}",
        lambda edge: f"/t/{edge.token('away|s|9999999999|3|2026b')}{CACHED}",
        lambda edge: f"/t/{edge.token('away')}/away%2fq1/cached.m4s",
        lambda edge: f"/t/{edge.token('away')}/away/q1/%63ached.m4s",
        lambda edge: f"/t/{edge.token('away')}/away/q1/%2563ached.m4s",
        lambda edge: f"/t/{edge.token('away')}/away/q0/../q1/cached.m4s",
        lambda edge: f"/t/{edge.token('away')}/away/q0/..%2fq1/cached.m4s",
        lambda edge: f"/t/{edge.token('away')}/away/q0/%2e%2e/q1/cached.m4s",
        lambda edge: f"/t/{edge.token('away')}//away/q1/cached.m4s",
        lambda edge: f"//t/{edge.token('away')}{CACHED}",
        lambda edge: f"/t/{edge.token('away')}/away/q1/.hidden",
        lambda edge: f"/t/{edge.token('away')}/away/q1/",
        lambda edge: f"/t/{edge.token('away')}/away/q12/cached.m4s",
        lambda edge: f"/t/{edge.token('away')}/away/cached.m4s",
        lambda edge: "/t/",
    ],
    ids=[
        *("another title's", "expired", "for sound only", "for a lower quality", "with another token's signature"),
        *("with a changed signature", "with a longer signature", "without a signature", "with an empty signature"),
        *("without claims", "with claims inside of a claim", "with an encoded slash", "with an encoded letter"),
        *("encoded twice", "with dots", "with dots and an encoded slash", "with encoded dots", "with two slashes"),
        *("with two slashes in front", "of a hidden file", "of a folder", "of a quality of two digits"),
        *("without a quality", "that is empty"),
    ],
)
def test_an_address_is_refused_by_the_edge_alone(alone: Edge, forge: Callable[[Edge], str]) -> None:
    assert alone.ask(forge(alone)).status == 403


def test_a_token_of_an_unknown_key_is_refused(alone: Edge, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(SECRETS, "2025z", "retired")
    assert alone.get(CACHED, key="2025z").status == 403
    monkeypatch.setitem(SECRETS, "toString", "inherited")
    assert alone.get(CACHED, key="toString").status == 403


def test_no_token_is_in_any_log_whatever_goes_wrong(alone: Edge) -> None:
    token = alone.token("away", session="leak")
    address = f"/t/{token}{CACHED}"
    cold = f"/t/{token}/away/q1/cold.m4s"
    before = sum(alone.counts().values())
    hostile = [
        f"GET {cold} HTTP/1.1\r\nHost: x\r\nReferer: http://x{address}\r\n\r\n",  # the bucket is away
        f"GET {address} HTTP/9.9\r\n\r\n",
        f"GET {address} HTTP/1.1\r\n\r\n",  # no host
        f"GET {address}\0 HTTP/1.1\r\nHost: x\r\n\r\n",
        f"get {address} HTTP/1.1\r\nHost: x\r\n\r\n",
        f"GET http://x{address} HTTP/1.1\r\nHost: {token}\r\nRange: {token}\r\n\r\n",
        f"GET {address}?{'x' * 5000} HTTP/1.1\r\nHost: x\r\n\r\n",  # too long
        f"GET {address} HTTP/1.1\r\nHost: x\r\nX-Long: {'x' * 5000}\r\n\r\n",
        f"GET {address} HTTP/1.1\r\nHost: x\r\n{''.join(f'X-{i}: {token}{chr(13)}{chr(10)}' for i in range(200))}\r\n",
        f"POST {address} HTTP/1.1\r\nHost: x\r\nContent-Length: 5000\r\n\r\n",
        f"GET {address} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: {token}\r\n\r\n",
        f"GET {address.replace('/t/', '/%74/')} HTTP/1.1\r\nHost: x\r\n\r\n",
        f"GET /{token} HTTP/1.1\r\nHost: x\r\n\r\n",
        f"GET {address}%00 HTTP/1.1\r\nHost: x\r\n\r\n",
        f"GET {address}%zz HTTP/1.1\r\nHost: x\r\n\r\n",
        f"CONNECT {address} HTTP/1.1\r\nHost: x\r\n\r\n",
        f"{token} / HTTP/1.1\r\nHost: x\r\n\r\n",
    ]
    for request in hostile:
        with socket.create_connection(("127.0.0.1", alone.port), timeout=60) as client:
            client.sendall(request.encode())
            assert client.recv(65536).startswith((b"HTTP/1.1 ", b"<html>"))
    alone.get(CACHED, session="the-last-one")
    eventually(lambda: "the-last-one" in alone.stack.log("edge").read_text())

    assert sum(alone.counts().values()) > before
    claims, signature = token.split(".")
    folder = alone.stack.settings.folder
    files = [
        path for path in folder.rglob("*") if path.is_file() and path.stat().st_size and "seaweedfs" not in path.parts
    ]
    assert folder / "logs" / "edge.log" in files
    assert [path for path in files if claims.encode() in path.read_bytes()] == []
    assert [path for path in files if signature.encode() in path.read_bytes()] == []


def test_keys_are_in_one_file_which_only_the_owner_may_read(alone: Edge) -> None:
    holders = [path for path in (alone.stack.settings.folder).rglob("*") if path.is_file() and holds_secret(path)]
    assert holders == [alone.stack.settings.folder / "edge" / "keys.json"]
    assert holders[0].stat().st_mode & 0o777 == 0o600


def holds_secret(path: Path) -> bool:
    return SECRETS["2026a"].encode() in path.read_bytes()


@pytest.mark.parametrize("victim", ["the master", "the shell that started it"])
def test_the_edge_ends_as_a_whole_and_is_started_again(alone: Edge, victim: str) -> None:
    shell = alone.stack.pid("edge")
    master = int((alone.stack.settings.folder / "edge" / "nginx.pid").read_text())
    old = group(shell)
    assert {shell, master} < set(old)

    os.kill(master if victim == "the master" else shell, signal.SIGKILL)

    eventually(lambda: not [pid for pid in old if Path(f"/proc/{pid}").exists()])
    eventually(lambda: is_ready(alone))
    assert alone.get(CACHED).headers["X-Cache"] == "HIT"


def group(leader: int) -> list[int]:
    """The processes of its group."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(ProcessLookupError):  # it has ended meanwhile
            if os.getpgid(int(process.name)) == leader:
                found.append(int(process.name))
    return found


def is_ready(edge: Edge) -> bool:
    try:
        return edge.ask("/healthz").status == 200
    except OSError:
        return False
