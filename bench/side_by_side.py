"""Runs consumers of the same topic, each in its own process, and compares their cost."""

import json
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence

from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from bench.load import playback_events
from infra.engines.kafka.config import QUIET, client_config
from infra.engines.kafka.publisher import BulkProducer
from infra.engines.registry import Registry
from infra.runtime.settings import Settings
from schemas.codec import encode
from schemas.framing import frame

TOPIC = "bench.playback"
CHUNK = 50_000
RUN_LIMIT_S = 300


def fill(settings: Settings, events: int, viewers: Sequence[str]) -> int:
    """Fills the topic; returns its records' mean size in bytes."""
    admin = AdminClient({**client_config(settings), **QUIET})
    (created,) = admin.create_topics([NewTopic(TOPIC, settings.topic_partitions)]).values()
    created.result()
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


def cheapest(module: str, kind: str, events: int, rounds: int) -> dict[str, float]:
    """The report of the module's consumer of this kind, from the round that took the least CPU."""
    command = [sys.executable, "-m", module, kind, TOPIC, str(events)]
    return min((_run(command) for _ in range(rounds)), key=lambda measured: measured["cpu_s"])


def compare(kinds: Mapping[str, str], measure: Callable[[str], dict[str, float]]) -> None:
    """Prints one line per kind, with ratios to the first."""
    base = 0.0
    print(f"{'':48} {'events/CPU-s':>13} {'ratio':>6} {'events/s':>9} {'records kept':>13}")
    for kind, label in kinds.items():
        one = measure(kind)
        per_cpu = one["events"] / one["cpu_s"]
        base = base or per_cpu
        wall = one["events"] / one["wall_s"]
        print(f"{label:48} {per_cpu:13,.0f} {per_cpu / base:6.2f} {wall:9,.0f} {one['written']:13,.0f}", flush=True)


def _run(command: Sequence[str]) -> dict[str, float]:
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=RUN_LIMIT_S)
    measured: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return measured
