"""``make bench-collector``: what an event costs the collector as JSON, with a key and with a member's token, and as a
line of CMCD, on its own stack; and what the token costs by itself.
"""

import asyncio
import json
import time
import timeit
from collections.abc import Callable, Iterator
from itertools import repeat
from typing import Annotated
from uuid import uuid4

import httpx
import typer
from http_sfv.dictionary import Dictionary
from starlette.requests import Request

from bench.connection import Connection
from bench.stack import bench_stack
from domain.clock import system_clock
from domain.cmcd.dictionary import parse
from domain.cmcd.line import MOST_LINES
from domain.identity.verifying import Verifier
from domain.processes import BY_NAME
from infra.runtime import local_tokens, token_keys
from infra.runtime.settings import LOCAL_KEY
from producers.collector.authentication import Authentication
from producers.collector.examples import EXAMPLES

PROFILE = EXAMPLES["playback"]["profile_id"]
EVENTS = 13
"""In a request."""
MEMBERS = (
    "e=t,sta=p",
    "bl=(4000),br=(998),e=ps,mtp=(14300),sta=p",
    *['bl=(4000),br=(998),e=rr,mtp=(14300),rc=200,st=v,sta=p,ttfb=6,ttlb=10,url="http://127.0.0.1/v/12.m4s"'] * 7,
    "e=t,sta=p",
    "bl=(4000),br=(400),e=bc,mtp=(9100),sta=p",
    "bl=(4000),br=(400),e=ps,mtp=(9100),sta=a",
    "bl=(4000),br=(400),e=ps,mtp=(9100),sta=p",
)
"""Of the lines of a request, in the proportions of a play of hls.js."""
Bodies = Callable[[], Iterator[bytes]]
"""The requests of one connection."""


def main(
    seconds: Annotated[float, typer.Option(help="How long, each.")] = 10.0,
    connections: Annotated[int, typer.Option(help="Requests in flight.")] = 64,
) -> None:
    _tokenizers()
    with bench_stack() as settings:
        url, port = settings.collector_url, settings.process_port(BY_NAME["collector"])
        token = token_keys.signer(settings).sign(local_tokens.member([PROFILE], None))
        costs = {}
        for name, path, bodies, credential in (
            ("JSON, service key", "/v1/events", _json, LOCAL_KEY),
            ("JSON, member's token", "/v1/events", _json, token),
            ("CMCD", _CMCD, _cmcd, LOCAL_KEY),
        ):
            asyncio.run(_load(port, path, bodies, connections, 1.0, credential))  # warm
            before = _cpu_seconds(url)
            latencies = asyncio.run(_load(port, path, bodies, connections, seconds, credential))
            cpu = _cpu_seconds(url) - before
            costs[name] = cpu / len(latencies) * 1e6
            _print(name, next(bodies()), latencies, cpu, seconds)
        known, request = _known_token(token_keys.verifier(settings), token), costs["JSON, member's token"]
        print(
            f"a known token, whose its events are: {known:.1f} of a request's {request:.0f} µs, {known / request:.1%}"
        )


def _known_token(verifier: Verifier, token: str) -> float:
    """Processor time in µs of a request for a token that was verified before: to learn the sender, and to compare each
    event with it. The best of twenty rounds."""
    authentication = Authentication({}, {}, verifier.verify)
    request = Request({"type": "http", "headers": [(b"authorization", f"Bearer {token}".encode())]})
    events = [{**EXAMPLES["playback"], "account_id": None} for _ in range(EVENTS)]

    def compare() -> None:
        sender = authentication.sender(request)
        for event in events:
            sender.check(event)
            sender.stamp(event)

    return min(timeit.repeat(compare, timer=time.process_time, number=1000, repeat=20)) / 1000 * 1e6


def _print(name: str, body: bytes, latencies: list[float], cpu: float, seconds: float) -> None:
    latencies.sort()
    p50, p99 = (latencies[int(len(latencies) * share)] * 1000 for share in (0.5, 0.99))
    print(
        f"{name}: {len(latencies)} requests of {EVENTS} events, {len(body)} bytes:"
        f" {len(latencies) / seconds:.0f} requests/s, {cpu / len(latencies) / EVENTS * 1e6:.0f} CPU µs an event"
        f" ({cpu / seconds:.0%} of a core), p50 {p50:.1f} ms, p99 {p99:.1f} ms"
    )


def _tokenizers() -> None:
    """Processor time of a line, by our tokenizer and by a full parser; the best of twenty rounds each."""
    lines = next(_cmcd()).decode().splitlines()
    full = [line.encode() for line in lines]

    def parse_fully() -> None:
        for line in full:
            Dictionary().parse(line)

    ours = min(timeit.repeat(lambda: [parse(line) for line in lines], timer=time.process_time, number=50, repeat=20))
    theirs = min(timeit.repeat(parse_fully, timer=time.process_time, number=50, repeat=20))
    each = [took / 50 / len(lines) * 1e6 for took in (ours, theirs)]
    print(f"a line of CMCD: {each[0]:.1f} µs; by http_sfv {each[1]:.1f} µs, {theirs / ours:.1f} times as much")


_CMCD = f"/v1/cmcd?key={LOCAL_KEY}&profile_id=bench&device_id=bench&player=hls.js&player_version=1.7.4"


def _json() -> Iterator[bytes]:
    now = system_clock()
    events = [EXAMPLES["playback"] | {"event_id": str(uuid4()), "client_time": now, "seq": n} for n in range(EVENTS)]
    return repeat(json.dumps({"sent_at": now, "events": events}).encode())


def _cmcd() -> Iterator[bytes]:
    """Each request goes on with the numbers of its play, as a player does: a repeat would cost less."""
    session, started = uuid4(), system_clock()
    for request in range(MOST_LINES // EVENTS):
        lines = (
            f'cid="ml-50",{members},sf=h,sid="{session}",sn={request * EVENTS + n},ts={started + request},v=2'
            for n, members in enumerate(MEMBERS)
        )
        yield "".join(f"{line}\n" for line in lines).encode()


async def _load(port: int, path: str, bodies: Bodies, connections: int, seconds: float, credential: str) -> list[float]:
    until = time.perf_counter() + seconds
    clients = (_client(port, path, bodies(), until, credential) for _ in range(connections))
    return [one for each in await asyncio.gather(*clients) for one in each]


async def _client(port: int, path: str, bodies: Iterator[bytes], until: float, credential: str) -> list[float]:
    latencies = []
    async with Connection.open(port) as connection:
        while (started := time.perf_counter()) < until:
            status, answer = await connection.ask(f"POST {path}", next(bodies), credential)
            assert status == 202, answer
            latencies.append(time.perf_counter() - started)
    return latencies


def _cpu_seconds(url: str) -> float:
    lines = httpx.get(f"{url}/metrics").text.splitlines()
    return float(next(line.split()[1] for line in lines if line.startswith("process_cpu_seconds_total")))


if __name__ == "__main__":
    typer.run(main)
