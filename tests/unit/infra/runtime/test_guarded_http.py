"""What may arrive for one request, seen from a socket: uvicorn itself, and an application that reads bodies."""

import asyncio
import re
from collections.abc import AsyncIterator
from typing import Any

import pytest
import uvicorn

from infra.runtime import guarded_http
from infra.runtime.guarded_http import BODY_BYTES, HEAD_BYTES, GuardedProtocol

HEAD = b"POST /x HTTP/1.1\r\nHost: x\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"


async def application(_: Any, receive: Any, send: Any) -> None:
    """Answers how long the body was."""
    length, more = 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        length, more = length + len(message["body"]), message["more_body"]
    content = b"%d" % length
    headers = [(b"content-length", b"%d" % len(content))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": content})


@pytest.fixture
async def port(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[int]:
    monkeypatch.setattr(guarded_http, "LINGER_SECONDS", 0.2)
    config = uvicorn.Config(application, http=GuardedProtocol, port=0, log_config=None, lifespan="off")
    server = uvicorn.Server(config)
    config.load()
    server.lifespan = config.lifespan_class(config)
    await server.startup()
    yield server.servers[0].sockets[0].getsockname()[1]
    await server.shutdown()


async def answer(port: int, *sent: bytes) -> bytes:
    """All that the server sends until it closes the connection, which the client never does."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        for part in sent:
            writer.write(part)
            await writer.drain()
        return await reader.read()
    except ConnectionError:
        return b""
    finally:
        writer.close()


def statuses(answers: bytes) -> list[int]:
    return [int(status) for status in re.findall(rb"HTTP/1\.1 (\d+) ", answers)]


@pytest.mark.parametrize(
    "begin",
    [HEAD + b"X: ", b"POST /", CHUNKED + b"1\r\na\r\n0\r\nX: ", CHUNKED + b"1;extension="],
    ids=["header", "address", "trailer", "chunk extension"],
)
async def test_what_has_no_end_is_cut_off(port: int, begin: bytes) -> None:
    _, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(begin)
    with pytest.raises(ConnectionError):
        await pour(writer)
    writer.close()


async def pour(writer: asyncio.StreamWriter) -> None:
    while True:
        writer.write(b"a" * 65_536)
        await writer.drain()


async def test_too_many_headers_are_a_431(port: int) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(HEAD)
    answered = asyncio.create_task(reader.read(65_536))
    for _ in range(HEAD_BYTES // 1_000 * 3):
        writer.write(b"X: %b\r\n" % (b"a" * 1_000))
        await writer.drain()
        await asyncio.sleep(0)  # the server's turn, or all would come in one read
        if answered.done():
            break
    found = await answered
    assert statuses(found) == [431]
    assert b'"code":"headers_too_large"' in found
    writer.close()


async def test_many_requests_in_one_piece_are_all_answered(port: int) -> None:
    request = HEAD + b"Content-Length: 3\r\n\r\nabc"
    last = HEAD + b"Connection: close\r\nContent-Length: 4\r\n\r\nabcd"
    found = await answer(port, request * 300 + last)
    assert statuses(found) == [200] * 301
    assert found.endswith(b"4")


@pytest.mark.parametrize("size", [1, 10_000])
async def test_a_body_may_come_in_any_number_of_chunks(port: int, size: int) -> None:
    chunk = b"%x\r\n%b\r\n" % (size, b"a" * size)
    found = await answer(
        port,
        CHUNKED.replace(b"Host", b"Connection: close\r\nHost"),
        chunk * 30_000 if size == 1 else chunk * 100,
        b"0\r\n\r\n",
    )
    assert statuses(found) == [200]
    assert found.endswith(b"30000" if size == 1 else b"1000000")


async def test_a_body_larger_than_any_handler_reads_is_a_413(port: int) -> None:
    found = await answer(port, HEAD + b"Content-Length: %d\r\n\r\n" % (BODY_BYTES + 1), b"a" * (BODY_BYTES + 1))
    assert statuses(found) == [413]


@pytest.mark.parametrize(
    "begin",
    [b"", b"POST", HEAD, HEAD + b"Content-Length: 10\r\n\r\n", HEAD + b"Content-Length: 10\r\n\r\nabc", CHUNKED],
    ids=["nothing", "a word", "half a head", "no body", "half a body", "no chunk"],
)
async def test_a_request_that_does_not_go_on_is_cut_off(
    port: int, monkeypatch: pytest.MonkeyPatch, begin: bytes
) -> None:
    for limit in ("HEAD_SECONDS", "REQUEST_SECONDS"):
        monkeypatch.setattr(guarded_http, limit, 0.05)
    assert statuses(await answer(port, begin)) == [408]


async def test_the_second_request_of_a_connection_has_limits_too(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guarded_http, "HEAD_SECONDS", 0.05)
    found = await answer(port, HEAD + b"Content-Length: 3\r\n\r\nabc" + HEAD)
    assert statuses(found) == [200, 408]
