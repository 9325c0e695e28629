"""``make bench-stream``: the history worker's hot path beside a plain consumer, and how fast an event becomes visible.

Needs a stack with Kafka, the registry and Cassandra (for the second part the collector, history and services too).
Ratios from one run hold; absolute figures belong to the machine and to what else it does.
"""

import json
import subprocess
import sys
import time
from typing import Annotated

import typer
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from bench.load import PROFILE, playback_events
from infra.clients.cassandra import close, connect
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
CHUNK = 50_000


def main(
    events: Annotated[int, typer.Option(help="Playback events on the topic.")] = 400_000,
    viewers: Annotated[int, typer.Option(help="Sessions at any time.")] = 5_000,
    rounds: Annotated[int, typer.Option(help="Repetitions; the best of each counts.")] = 2,
) -> None:
    settings = Settings()
    topic = f"bench.playback.{int(time.time())}"
    admin = AdminClient({**client_config(settings)})
    for created in admin.create_topics(
        [NewTopic(topic, settings.topic_partitions, settings.topic_replication)]
    ).values():
        created.result()
    try:
        size = _fill(settings, topic, events, viewers)
        print(
            f"hot path: {events:,} playback events of {size} bytes, {viewers:,} sessions at a time, one process each\n"
        )
        _compare({kind: min((_run(kind, topic, events) for _ in range(rounds)), key=_cpu) for kind in KINDS})
    finally:
        admin.delete_topics([topic])[topic].result()
        _forget(settings, viewers)


def _fill(settings: Settings, topic: str, events: int, viewers: int) -> int:
    """The topic's records, and their mean size in bytes."""
    schema_id = Registry(settings).ids()["playback"]
    producer = BulkProducer(settings)
    pending: list[tuple[str, bytes, bytes]] = []
    total = 0
    for event in playback_events(events, viewers):
        payload = frame(schema_id, encode(event))
        total += len(payload)
        pending.append((topic, event.profile_id.encode(), payload))
        if len(pending) == CHUNK:
            producer.write(pending)
            pending.clear()
    producer.write(pending)
    return total // events


def _run(kind: str, topic: str, events: int) -> dict[str, float]:
    command = [sys.executable, "-m", "bench.consumers", kind, f"{topic}", str(events)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
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


def _forget(settings: Settings, viewers: int) -> None:
    """The invented profiles' histories."""
    session = connect(settings)
    delete = session.prepare("DELETE FROM live_vh WHERE profile_id = ?")
    for future in [session.execute_async(delete, (PROFILE.format(viewer),)) for viewer in range(viewers)]:
        future.result()
    close(session)


if __name__ == "__main__":
    typer.run(main)
