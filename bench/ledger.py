"""``make bench-ledger``: the ledger compared with a program that only reads the same records and objects.

Starts its own stack, fills it, and wipes it afterwards. The history worker writes the history; the lake gets objects as
the sink writes them at 1,000 events/s, which would take too long. ``--command`` measures another
version of the ledger on the same data, for example ``sh -c "cd ../old && .venv/bin/playhead ledger"``.
"""

import os
import shlex
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Annotated

import typer

from bench.load import playback_events
from bench.stack import bench_stack
from domain.lake.batching import Slice
from domain.lake.keys import Chain
from domain.lake.objects import Batch, build_file
from domain.lake.reading import read_objects
from domain.processes import BY_NAME
from infra.engines.kafka.publisher import BulkProducer
from infra.engines.kafka.reader import TopicReader
from infra.engines.registry import Registry
from infra.engines.s3 import ObjectStore
from infra.runtime.settings import Settings
from schemas.avro import schema
from schemas.codec import encode
from schemas.framing import frame
from schemas.topics import EVENT_TOPICS, TOPICS

WORKER = BY_NAME["history"]
OBJECT_RECORDS = 1_250
"""5 s of 1,000 events/s, in four partitions."""
CHUNK = 50_000
PLAYBACK = EVENT_TOPICS["playback"].name
LEDGER = (sys.executable, "-m", "infra.cli", "ledger")


def main(
    events: Annotated[int, typer.Option(help="Playback events in Kafka.")] = 1_000_000,
    viewers: Annotated[int, typer.Option(help="Profiles; each has a session for 40 events.")] = 5_000,
    command: Annotated[str | None, typer.Option(help="Another ledger to measure on the same data.")] = None,
) -> None:
    with bench_stack(("kafka", "registry", "cassandra", "seaweedfs", WORKER.name)) as settings:
        fill(settings, events, viewers)
        fill_lake(settings)
        drain(settings)
        base = _measured([sys.executable, "-m", "bench.ledger", "read"])
        print(f"{'':40} {'wall s':>8} {'CPU s':>8} {'records/CPU-s':>14} {'ratio':>6}")
        kinds = {"reads every record and object": base, "the ledger": _measured(LEDGER)}
        if command:
            kinds["another ledger"] = _measured(shlex.split(command))
        for kind, (wall, cpu) in kinds.items():
            print(f"{kind:40} {wall:8.1f} {cpu:8.1f} {events / cpu:14,.0f} {cpu / base[1]:6.2f}")


def fill(settings: Settings, events: int, viewers: int) -> None:
    schema_id, producer = Registry(settings).ids()["playback"], BulkProducer(settings)
    names = [f"bench-{number}" for number in range(viewers)]
    records = (
        (PLAYBACK, event.profile_id.encode(), frame(schema_id, encode(event)))
        for event in playback_events(events, names)
    )
    while chunk := list(islice(records, CHUNK)):
        producer.write(chunk)


@dataclass(frozen=True, slots=True)
class _Record:
    """Satisfies ``domain.lake.ports.Record``."""

    at: int
    payload: bytes
    appended: int

    def offset(self) -> int:
        return self.at

    def timestamp(self) -> tuple[int, int]:
        return 2, self.appended

    def key(self) -> bytes | None:
        return None

    def value(self) -> bytes | None:
        return self.payload

    def __len__(self) -> int:
        return len(self.payload)


def fill_lake(settings: Settings) -> None:
    log, store, registry = TopicReader(settings), ObjectStore(settings), Registry(settings)
    schema_id = registry.ids()["playback"]

    def put(chain: Chain, records: Sequence[_Record]) -> None:
        batch, part = Batch(records, [schema_id] * len(records), ()), Slice(0, len(records), schema_id)
        file = build_file(chain, records[0].at, batch, part, (registry.resolve, schema("playback")))
        store.put_if_absent(file.key, file.body, file.metadata)

    for topic, topic_id, partition, start, end in log.spans([PLAYBACK]):
        chain = Chain(topic, topic_id, partition)
        records = (
            _Record(offset, payload or b"", appended)
            for batch in log.records(topic, partition, start, end)
            for offset, payload, appended in batch
        )
        while some := list(islice(records, OBJECT_RECORDS)):
            put(chain, some)


def drain(settings: Settings) -> None:
    """Until the worker has read all of Kafka."""
    kafka = TopicReader(settings)
    while kafka.lag(WORKER.group or "", WORKER.topics):
        time.sleep(1)


def read(settings: Settings) -> int:
    """Read what the ledger reads of Kafka and the lake, and look at nothing. The number of records."""
    log, store = TopicReader(settings), ObjectStore(settings)
    count = 0
    for topic, topic_id, partition, start, end in log.spans(TOPICS):
        count += sum(len(batch) for batch in log.records(topic, partition, start, end))
        for each in read_objects(store, Chain(topic, topic_id, partition)):
            store.get(each.key)
    return count


def _measured(command: Sequence[str]) -> tuple[float, float]:
    """Seconds of the clock, and of the processor in all of the command's processes."""
    before, began = os.times(), time.monotonic()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    wall, after = time.monotonic() - began, os.times()
    return wall, sum(after[2:4]) - sum(before[2:4])


if __name__ == "__main__":
    if sys.argv[1:] == ["read"]:
        read(Settings())
    else:
        typer.run(main)
