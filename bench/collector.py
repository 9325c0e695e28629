"""``make bench-collector``: what a request of 13 events costs the collector, on its own stack.

Writes HTTP by hand over kept-alive connections, so that the client takes little CPU from the collector.
"""

import asyncio
import json
import time
from typing import Annotated
from uuid import uuid4

import httpx
import typer

from bench.stack import bench_stack
from domain.clock import system_clock
from domain.processes import BY_NAME
from infra.runtime.settings import LOCAL_KEY
from producers.collector.examples import EXAMPLES

EVENTS = 13


def main(
    seconds: Annotated[float, typer.Option(help="How long.")] = 10.0,
    connections: Annotated[int, typer.Option(help="Requests in flight.")] = 64,
) -> None:
    with bench_stack() as settings:
        url, port = settings.collector_url, settings.process_port(BY_NAME["collector"])
        asyncio.run(_load(port, connections, 1.0))  # warm
        before = _cpu_seconds(url)
        latencies = asyncio.run(_load(port, connections, seconds))
        cpu = _cpu_seconds(url) - before
    latencies.sort()
    p50, p99 = (latencies[int(len(latencies) * share)] * 1000 for share in (0.5, 0.99))
    print(
        f"{len(latencies)} requests of {EVENTS} events, {len(_body())} bytes, {connections} in flight:"
        f" {len(latencies) / seconds:.0f} requests/s, {cpu / len(latencies) * 1e6:.0f} CPU µs a request"
        f" ({cpu / seconds:.0%} of a core), p50 {p50:.1f} ms, p99 {p99:.1f} ms"
    )


def _body() -> bytes:
    now = system_clock()
    events = [EXAMPLES["playback"] | {"event_id": str(uuid4()), "client_time": now, "seq": n} for n in range(EVENTS)]
    return json.dumps({"sent_at": now, "events": events}).encode()


async def _load(port: int, connections: int, seconds: float) -> list[float]:
    until = time.perf_counter() + seconds
    return [one for each in await asyncio.gather(*(_client(port, until) for _ in range(connections))) for one in each]


async def _client(port: int, until: float) -> list[float]:
    body = _body()
    request = (
        f"POST /v1/events HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {LOCAL_KEY}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    ).encode() + body
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    latencies = []
    while (started := time.perf_counter()) < until:
        writer.write(request)
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        assert head.startswith("HTTP/1.1 202"), head
        await reader.readexactly(int(head.lower().partition("content-length:")[2].partition("\r")[0]))
        latencies.append(time.perf_counter() - started)
    writer.close()
    return latencies


def _cpu_seconds(url: str) -> float:
    lines = httpx.get(f"{url}/metrics").text.splitlines()
    return float(next(line.split()[1] for line in lines if line.startswith("process_cpu_seconds_total")))


if __name__ == "__main__":
    typer.run(main)
