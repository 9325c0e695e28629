"""Four ways to close a door, each bounded in sockets and time, and only ever against this machine.

Each returns how often the attacker saw what: a status, ``reset``, or ``taken`` for all that it wanted to send.
"""

import asyncio
import re
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping
from dataclasses import dataclass
from uuid import UUID

import httpx
import msgspec

from bench.load import START, playback_events
from infra.runtime.settings import LOCAL_KEY

LOOPBACK = "127.0.0.1"
MIB = 2**20
PIECE = 64 * 1024
HEADER_BYTES = 60 * MIB
EVENTS_A_POST = 500
SET_BY_US = ("sent_at", "received_at", "event_time")
KEY = {"Authorization": f"Bearer {LOCAL_KEY}", "Content-Type": "application/json"}
HEAD = f"POST /v1/events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {LOCAL_KEY}\r\n"

Seen = Counter[str]
Bound = Callable[[], Coroutine[None, None, Seen]]
"""An attack with its door and all else that it takes."""
Attack = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[str]]


@dataclass(frozen=True, slots=True)
class Door:
    port: int
    source: str = "127.0.0.2"
    """The attacker's address: limits by address are not to hit others."""


def run(attack: Bound) -> Seen:
    """In a process that does nothing else."""
    return asyncio.run(attack())


async def nothing(seconds: float) -> Seen:
    """The quiet run."""
    await asyncio.sleep(seconds)
    return Seen()


async def endless_headers(door: Door, seconds: float, sockets: int = 4) -> Seen:
    """Each socket sends a header of 60 MB, again and again."""

    async def attack(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> str:
        writer.write(b"GET /livez HTTP/1.1\r\nHost: x\r\nX: ")
        answered = asyncio.create_task(_status(reader))
        try:
            for _ in range(HEADER_BYTES // PIECE):
                if answered.done():
                    return answered.result()
                writer.write(b"a" * PIECE)
                await writer.drain()
            return "taken"
        finally:
            answered.cancel()

    return await _again_and_again(door, seconds, sockets, attack)


async def slow_bodies(door: Door, seconds: float, sockets: int = 200, every_s: float = 1.0) -> Seen:
    """Each socket sends a byte of its body now and then."""

    async def attack(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> str:
        writer.write(f"{HEAD}Content-Length: 20000\r\n\r\n".encode())
        answered = asyncio.create_task(_status(reader))
        while not answered.done():
            writer.write(b" ")
            await writer.drain()
            await asyncio.wait((answered,), timeout=every_s)
        return await answered

    return await _again_and_again(door, seconds, sockets, attack)


async def announced_megabytes(door: Door, seconds: float, sockets: int = 80, header: str = "") -> Seen:
    """Each socket announces a megabyte and sends one byte."""

    async def attack(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> str:
        writer.write(f"{HEAD}{header}Content-Length: {MIB}\r\n\r\n ".encode())
        return await _status(reader)

    return await _again_and_again(door, seconds, sockets, attack)


async def open_sessions(door: Door, profile_id: str, sessions: int, at_once: int = 4) -> Seen:
    """Sessions of one profile that never end."""
    waiting = list(range(0, sessions, EVENTS_A_POST))
    seen: Seen = Counter()

    async def send(client: httpx.AsyncClient) -> None:
        while waiting:
            first = waiting.pop()
            body = request_body(profile_id, range(first, min(sessions, first + EVENTS_A_POST)))
            answer = await client.post(f"http://{LOOPBACK}:{door.port}/v1/events", content=body, headers=KEY)
            seen[str(answer.status_code)] += 1
            if answer.status_code == httpx.codes.SERVICE_UNAVAILABLE:
                waiting.append(first)

    transport = httpx.AsyncHTTPTransport(local_address=door.source)
    async with httpx.AsyncClient(transport=transport, timeout=60) as client:
        await asyncio.gather(*(send(client) for _ in range(at_once)))
    return seen


async def giant_reads(door: Door, seconds: float, profile_id: str, reader: Mapping[str, str], at_once: int = 5) -> Seen:
    """Its newest page, asked for again and again, with a token that opens it."""
    until = time.monotonic() + seconds
    seen: Seen = Counter()

    async def read(client: httpx.AsyncClient) -> None:
        while time.monotonic() < until:
            address = f"http://{LOOPBACK}:{door.port}/v1/profiles/{profile_id}/viewing-history?limit=50"
            seen[str((await client.get(address, headers=reader)).status_code)] += 1

    transport = httpx.AsyncHTTPTransport(local_address=door.source)
    async with httpx.AsyncClient(transport=transport, timeout=60) as client:
        await asyncio.gather(*(read(client) for _ in range(at_once)))
    return seen


def request_body(profile_id: str, numbers: Iterable[int]) -> bytes:
    """A heartbeat of each of these sessions, sent now."""
    now = time.time_ns() // 1_000_000
    return msgspec.json.encode(
        {"sent_at": now, "events": [_open_session(profile_id, number, now) for number in numbers]}
    )


def _open_session(profile_id: str, number: int, now: int) -> dict[str, object]:
    (event,) = playback_events(1, [profile_id], START)
    fields = {name: value for name, value in msgspec.structs.asdict(event).items() if value is not None}
    started_at = now - 60_000 - number
    session = UUID(int=(started_at << 80) | (7 << 76) | (2 << 62) | number)
    changed = {"event_id": str(UUID(int=session.int + 1)), "client_time": now, "playback_session_id": str(session)}
    times = {"session_started_at": started_at, "startup_time_ms": 900}
    kept = {name: value for name, value in fields.items() if name not in SET_BY_US}
    return {**kept, **changed, **times, "family": "playback", "event_type": "heartbeat"}


async def _again_and_again(door: Door, seconds: float, sockets: int, attack: Attack) -> Seen:
    until = time.monotonic() + seconds
    seen: Seen = Counter()

    async def one() -> None:
        while time.monotonic() < until:
            try:
                reader, writer = await asyncio.open_connection(LOOPBACK, door.port, local_addr=(door.source, 0))
            except OSError:
                seen["refused"] += 1
                await asyncio.sleep(0.1)
                continue
            try:
                async with asyncio.timeout(until - time.monotonic() + 1):
                    seen[await attack(reader, writer)] += 1
            except ConnectionError:
                seen["reset"] += 1
            except TimeoutError:
                seen["held"] += 1
            finally:
                writer.close()

    await asyncio.gather(*(one() for _ in range(sockets)))
    return seen


async def _status(reader: asyncio.StreamReader) -> str:
    """Of the answer."""
    found = re.match(rb"HTTP/1\.1 (\d+)", await reader.read(PIECE))
    return found[1].decode() if found else "closed"
