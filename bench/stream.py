"""``make bench-stream``: the history worker's hot path beside a plain consumer, and how fast an event becomes visible.

Brings up a stack of its own and wipes it afterwards.
Ratios from one run hold; absolute figures belong to the machine and to what else it does.
"""

import asyncio
import json
import statistics
import subprocess
import sys
from collections.abc import Sequence
from typing import Annotated

import typer
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from bench.load import playback_events
from bench.stack import bench_stack
from bench.visibility import measure
from infra.clients.kafka import client_config
from infra.clients.kafka_bulk import BulkProducer
from infra.clients.registry import Registry
from infra.settings import Settings
from schemas.codec import encode
from schemas.framing import frame

KINDS = {
    "plain": "confluent consume + fastavro + dict (no rules)",
    "faust": "history worker, writing nothing",
    "cassandra": "history worker, writing to Cassandra",
}
TOPIC = "bench.playback"
CHUNK = 50_000
RUN_LIMIT_S = 300


def main(
    events: Annotated[int, typer.Option(help="Playback events on the topic.")] = 400_000,
    viewers: Annotated[int, typer.Option(help="Sessions at any time.")] = 5_000,
    rounds: Annotated[int, typer.Option(help="Repetitions; the best of each counts.")] = 2,
    rate: Annotated[int, typer.Option(help="Events per second through the collector.")] = 1_000,
    seconds: Annotated[float, typer.Option(help="For so long.")] = 30,
) -> None:
    with bench_stack() as settings:
        _hot_path(settings, events, [f"bench-{number}" for number in range(viewers)], rounds)
        _visibility(settings, rate, seconds, [f"live-{number}" for number in range(viewers)])


def _hot_path(settings: Settings, events: int, viewers: Sequence[str], rounds: int) -> None:
    (created,) = (
        AdminClient({**client_config(settings)}).create_topics([NewTopic(TOPIC, settings.topic_partitions)]).values()
    )
    created.result()
    size = _fill(settings, events, viewers)
    print(f"hot path: {events:,} playback events of {size} bytes, {len(viewers):,} sessions at a time\n")
    _compare({kind: min((_run(kind, events) for _ in range(rounds)), key=_cpu) for kind in KINDS})


def _visibility(settings: Settings, rate: int, seconds: float, viewers: Sequence[str]) -> None:
    seen = asyncio.run(measure(settings, rate, seconds, viewers))
    cuts = statistics.quantiles(seen.seconds, n=100, method="inclusive")
    print(
        f"\naccepted -> visible in the history API, {rate:,} events/s for {seconds:g} s: "
        f"p50 {cuts[49] * 1000:.0f} ms, p99 {cuts[98] * 1000:.0f} ms, most {max(seen.seconds) * 1000:.0f} ms "
        f"({len(seen.seconds)} followed, {seen.accepted:,} accepted, {seen.refused:,} refused)"
    )


def _fill(settings: Settings, events: int, viewers: Sequence[str]) -> int:
    """The topic's records, and their mean size in bytes."""
    schema_id = Registry(settings).ids()["playback"]
    producer = BulkProducer(settings)
    pending: list[tuple[str, bytes, bytes]] = []
    total = 0
    for event in playback_events(events, viewers):
        payload = frame(schema_id, encode(event))
        total += len(payload)
        pending.append((TOPIC, event.profile_id.encode(), payload))
        if len(pending) == CHUNK:
            producer.write(pending)
            pending.clear()
    producer.write(pending)
    return total // events


def _run(kind: str, events: int) -> dict[str, float]:
    command = [sys.executable, "-m", "bench.consumers", kind, TOPIC, str(events)]
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=RUN_LIMIT_S)
    measured: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return measured


def _cpu(measured: dict[str, float]) -> float:
    return measured["cpu_s"]


def _compare(measured: dict[str, dict[str, float]]) -> None:
    base = measured["plain"]["events"] / measured["plain"]["cpu_s"]
    print(f"{'':48} {'events/CPU-s':>13} {'ratio':>6} {'events/s':>9} {'records kept':>13}")
    for kind, label in KINDS.items():
        one = measured[kind]
        per_cpu = one["events"] / one["cpu_s"]
        wall = one["events"] / one["wall_s"]
        print(f"{label:48} {per_cpu:13,.0f} {per_cpu / base:6.2f} {wall:9,.0f} {one['written']:13,.0f}")


if __name__ == "__main__":
    typer.run(main)
