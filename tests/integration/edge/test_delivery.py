"""What players get while the object store answers."""

import json
import socket
from concurrent.futures import ThreadPoolExecutor

import pytest

from infra.local.edge import require_readable_bucket
from infra.local.program import StackError
from tests.integration.edge.conftest import SECRETS, Edge
from tests.support.pipeline import eventually

BODY = bytes(range(256)) * 64


def test_a_token_signed_long_ago_for_long_opens_its_title(edge: Edge) -> None:
    edge.put("/feature/q2/1.m4s")
    token = "ZmVhdHVyZXxzZXNzaW9uLTF8NDEwMjQ0NDgwMHwyfDIwMjZh.0F-M1E_tVQoL1njXWf3wFIzVFIbUCXPvsrLbR74nn7E"
    assert edge.ask(f"/t/{token}/feature/q2/1.m4s").status == 200


@pytest.mark.parametrize("key", list(SECRETS))
def test_every_key_of_the_settings_is_accepted(edge: Edge, key: str) -> None:
    edge.put("/keys/q1/1.m4s")
    assert edge.get("/keys/q1/1.m4s", key=key).status == 200


@pytest.mark.parametrize(("quality", "opened"), [(0, [0]), (1, [0, 1]), (3, [0, 1, 2, 3])])
def test_a_token_opens_its_quality_and_all_below_and_sound_always(edge: Edge, quality: int, opened: list[int]) -> None:
    for folder in range(4):
        edge.put(f"/ladder/q{folder}/init.mp4")
    statuses = {folder: edge.get(f"/ladder/q{folder}/init.mp4", quality=quality).status for folder in range(4)}
    assert statuses == {folder: 200 if folder in opened else 403 for folder in range(4)}


def test_a_hundred_sessions_at_once_are_one_request_to_the_bucket(edge: Edge) -> None:
    edge.put("/crowd/q1/1.m4s", BODY)
    before = edge.counts()
    addresses = [f"/t/{edge.token('crowd', session=f's{i}')}/crowd/q1/1.m4s?CMCD=sid%3D{i}" for i in range(100)]

    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(edge.ask, addresses))

    assert {answer.status for answer in answers} == {200}
    assert {answer.body for answer in answers} == {BODY}
    assert sorted(answer.headers["X-Cache"] for answer in answers) == ["HIT"] * 99 + ["MISS"]
    after = edge.counts()
    assert rise(before, after, "playhead_edge_origin_requests_total", "ok") == 1
    assert rise(before, after, "playhead_edge_requests_total", "2xx", "hit") == 99
    assert rise(before, after, "playhead_edge_sent_bytes_total", "hit") > 99 * len(BODY)


def rise(before: dict[tuple[str, ...], float], after: dict[tuple[str, ...], float], *series: str) -> float:
    return after[series] - before.get(series, 0)


@pytest.mark.parametrize(
    ("asked", "content_range", "body"),
    [
        ("bytes=0-9", "bytes 0-9/16384", BODY[:10]),
        ("bytes=16000-", "bytes 16000-16383/16384", BODY[16000:]),
        ("bytes=-5", "bytes 16379-16383/16384", BODY[-5:]),
    ],
)
def test_a_range_is_answered_whether_the_file_is_cached_or_not(
    edge: Edge, asked: str, content_range: str, body: bytes
) -> None:
    path = f"/ranges/q1/{asked.removeprefix('bytes=').replace('-', '_')}x.mp4"
    edge.put(path, BODY)
    for state in ("MISS", "HIT"):
        answer = edge.get(path, {"Range": asked})
        assert (answer.status, answer.headers["X-Cache"]) == (206, state)
        assert (answer.headers["Content-Range"], answer.body) == (content_range, body)
    assert edge.get(path).body == BODY
    assert edge.get(path, {"Range": "bytes=16384-"}).status == 416


def test_a_browser_s_player_of_any_site_may_read_the_answer_and_nobody_may_guess_its_type(edge: Edge) -> None:
    edge.put("/cors/q1/1.m4s")
    headers = edge.get("/cors/q1/1.m4s", {"Origin": "https://player.example"}).headers
    assert [value for name, value in headers.items() if name.lower() == "access-control-allow-origin"] == ["*"]
    assert "Content-Range" in headers["Access-Control-Expose-Headers"]
    assert headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Content-Type"] == "video/mp4"
    assert headers["Cache-Control"] == "private, max-age=43200, immutable"
    assert not [name for name in headers if name.lower().startswith(("x-amz", "seaweed", "set-cookie", "vary"))]


def test_a_preflight_is_answered_for_a_day_without_looking_at_the_token(edge: Edge) -> None:
    status, headers, body = edge.ask("/t/none/none/q1/1.m4s", "OPTIONS", {"Origin": "https://player.example"})
    assert (status, body) == (204, b"")
    assert headers["Access-Control-Allow-Methods"] == "GET, HEAD"
    assert headers["Access-Control-Allow-Headers"] == "*"
    assert headers["Access-Control-Max-Age"] == "86400"


def test_only_reading_is_allowed(edge: Edge) -> None:
    edge.put("/methods/q1/1.m4s", BODY)
    address = f"/t/{edge.token('methods')}/methods/q1/1.m4s"
    head = edge.ask(address, "HEAD")
    assert (head.status, head.headers["Content-Length"], head.body) == (200, "16384", b"")
    assert {method: edge.ask(address, method).status for method in ("POST", "PUT", "DELETE", "PATCH")} == {
        "POST": 405,
        "PUT": 405,
        "DELETE": 405,
        "PATCH": 405,
    }


@pytest.mark.parametrize("address", ["/", "/metrics", "/bucket", "/media/feature/q2/1.m4s", "/feature/q2/1.m4s", "/t"])
def test_there_is_nothing_else(edge: Edge, address: str) -> None:
    edge.put("/feature/q2/1.m4s")
    assert edge.ask(address).status == 404


def test_a_file_that_is_not_there_is_there_a_moment_after_it_was_put(edge: Edge) -> None:
    absent = edge.get("/later/q1/1.m4s")
    assert (absent.status, absent.headers["Cache-Control"]) == (404, "no-store")
    assert b"Error" not in absent.body
    edge.put("/later/q1/1.m4s")
    eventually(lambda: edge.get("/later/q1/1.m4s").status == 200)


def test_a_client_that_never_ends_its_request_is_cut_off(edge: Edge) -> None:
    with socket.create_connection(("127.0.0.1", edge.port), timeout=60) as slow:
        slow.sendall(b"GET /t/ HTTP/1.1\r\nHost: ")
        with pytest.raises(ConnectionResetError):
            slow.recv(1)


def test_the_log_knows_session_file_and_cache_but_only_the_network_of_the_client(edge: Edge) -> None:
    edge.put("/logged/q1/1.m4s", BODY)
    edge.get("/logged/q1/1.m4s", {"Range": "bytes=0-9", "Referer": "https://x.example/t/secret"}, session="session-7")

    def line() -> dict[str, object] | None:
        lines = edge.stack.log("edge").read_text().splitlines()
        return next((json.loads(each) for each in lines if "/logged/" in each), None)

    eventually(lambda: line() is not None)
    logged = line() or {}
    times = {logged.pop(name) for name in ("time", "seconds", "origin_seconds", "bytes")}
    assert len(times) >= 2
    assert logged == {
        "client": "127.0.0.0",
        "session": "session-7",
        "method": "GET",
        "path": "/logged/q1/1.m4s",
        "range": "bytes=0-9",
        "status": 206,
        "cache": "MISS",
        "origin_status": "200",
    }


def test_a_bucket_that_cannot_be_read_without_keys_is_a_clear_error(edge: Edge) -> None:
    closed = edge.stack.settings.model_copy(update={"media_bucket": "lake"})
    with pytest.raises(StackError, match="the edge cannot read the bucket lake of http"):
        require_readable_bucket(closed)
