"""A reading request ends with its client, and any other goes on to its end."""

import asyncio
from collections.abc import MutableMapping
from typing import Any

import pytest

from services.http.middleware import EndsWithClient

Message = MutableMapping[str, Any]


class Client:
    """Sends a request without a body, and leaves at some moment."""

    def __init__(self) -> None:
        self.leaves = asyncio.Event()
        self.received: list[Message] = []
        self._messages: list[Message] = [{"type": "http.request", "body": b"", "more_body": False}]

    async def receive(self) -> Message:
        if self._messages:
            return self._messages.pop()
        await self.leaves.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        self.received.append(message)


class Reader:
    """An application that reads for as long as it is let."""

    def __init__(self) -> None:
        self.began = asyncio.Event()
        self.found = asyncio.Event()
        self.was_cancelled = False

    async def __call__(self, _: Any, receive: Any, send: Any) -> None:
        await receive()
        self.began.set()
        try:
            await self.found.wait()
        except asyncio.CancelledError:
            self.was_cancelled = True
            raise
        await send({"type": "http.response.start", "status": 200})
        await send({"type": "http.response.body", "body": b"found"})


def ask(method: str, reader: Any, client: Client) -> "asyncio.Task[None]":
    scope = {"type": "http", "method": method}
    return asyncio.ensure_future(EndsWithClient(reader)(scope, client.receive, client.send))


async def test_a_read_is_given_up_when_its_client_leaves() -> None:
    reader, client = Reader(), Client()
    asked = ask("GET", reader, client)
    await reader.began.wait()
    client.leaves.set()
    await asked
    assert reader.was_cancelled
    assert client.received == []


async def test_a_change_is_not_given_up() -> None:
    reader, client = Reader(), Client()
    asked = ask("POST", reader, client)
    await reader.began.wait()
    client.leaves.set()
    reader.found.set()
    await asked
    assert not reader.was_cancelled


async def test_a_client_that_stays_gets_its_answer() -> None:
    reader, client = Reader(), Client()
    asked = ask("GET", reader, client)
    reader.found.set()
    await asked
    assert [message["type"] for message in client.received] == ["http.response.start", "http.response.body"]


async def test_an_answer_that_is_out_may_be_finished_in_peace() -> None:
    client = Client()
    finished = False

    async def answers_first(_: Any, receive: Any, send: Any) -> None:
        nonlocal finished
        await receive()
        await send({"type": "http.response.body", "body": b""})
        client.leaves.set()
        for _ in range(10):
            await asyncio.sleep(0)
        finished = True

    await ask("GET", answers_first, client)
    assert finished


async def test_an_application_that_waits_for_the_departure_hears_of_it() -> None:
    client = Client()
    heard: list[str] = []

    async def streams(_: Any, receive: Any, __: Any) -> None:
        await receive()
        try:
            heard.append((await receive())["type"])
        except asyncio.CancelledError:
            heard.append("cancelled")

    asked = ask("GET", streams, client)
    client.leaves.set()
    await asked
    assert heard in (["http.disconnect"], ["cancelled"])


async def test_a_failure_is_the_application_s() -> None:
    async def fails(_: Any, __: Any, ___: Any) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await ask("GET", fails, Client())
