"""The lake in an object store that is really full, until it has room again: nothing is lost, and an alert says so."""

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import pytest

from domain.lake.reading import read_objects, read_rows
from infra.engines.kafka.publisher import BulkProducer
from infra.engines.registry import Registry
from infra.engines.s3 import ObjectStore
from infra.ledger_sources import all_sides, compare_chains
from infra.local import seaweedfs
from infra.runtime.settings import PORT_BASES, Settings
from schemas.codec import encode
from schemas.errors import TransientError
from schemas.framing import frame
from tests.integration.streams.lake import lag, log_ends
from tests.integration.streams.workers import Worker, stop
from tests.support.builders import playback
from tests.support.lake_chains import find_holes
from tests.support.pipeline import eventually

TOPIC = "playhead.playback"
VOLUMES, MORE = 30, 60
"""Of a megabyte each, as many as the store may have. The lake takes some for what other tests have sent."""
EVENTS = [str(uuid4()) for _ in range(500)]


@pytest.fixture
def place(stack: Settings, tmp_path: Path) -> Settings:
    """Where a store of this test alone has its files and ports."""
    base = stack.port_base or PORT_BASES[stack.stack]
    return Settings(stack=f"{stack.stack}-full", home=tmp_path, port_base=base + 500)


@contextmanager
def object_store(place: Settings, volumes: int) -> Iterator[None]:
    """It ends by SIGKILL: a full one does not end by itself."""
    program = seaweedfs.program(place)
    program.configure()
    limits = ("-master.volumeSizeLimitMB=1", f"-volume.max={volumes}")
    with (place.folder / "log").open("ab") as log, subprocess.Popen([*program.command, *limits], stderr=log) as running:
        try:
            eventually(program.is_ready)
            yield
        finally:
            running.send_signal(signal.SIGKILL)


def fill(store: ObjectStore) -> None:
    """Until nothing can be stored any more, however small."""
    size = 2**18
    while size:
        try:
            store.put(f"others/{uuid4()}", os.urandom(size))
        except TransientError:
            size //= 2


def test_nothing_is_lost_while_the_store_is_full_and_all_arrives_once_there_is_room(
    stack: Settings, place: Settings, tmp_path: Path
) -> None:
    settings = stack.model_copy(update={"s3_endpoint": place.s3, "lake_flush_seconds": 1.0})
    store, schema_id = ObjectStore(settings), Registry(settings).ids()["playback"]
    workers: list[Worker] = []

    def states(worker: Worker) -> tuple[list[float], list[float]]:
        """Whether the object store answers, and whether it stores."""
        return tuple(worker.series(f"playhead_backend_{name}", 'backend="s3"') for name in ("up", "writable"))  # type: ignore[return-value]

    try:
        with object_store(place, VOLUMES):
            store.ensure_bucket()
            workers += [Worker(settings, each, 0, tmp_path / f"{each}.log") for each in ("lake", "ops")]
            lake, ops = workers
            eventually(lambda: lag(settings) == 0)
            eventually(lambda: states(ops) == ([1], [1]))

            fill(store)
            events = [frame(schema_id, encode(playback(event_id=event, seq=n))) for n, event in enumerate(EVENTS)]
            BulkProducer(settings).write([(TOPIC, b"full", event) for event in events])

            eventually(lambda: states(ops) == ([1], [0]))
            eventually(lambda: lake.metric("playhead_retries_total") > 0)
            assert lag(settings) >= len(EVENTS)

        with object_store(place, MORE):
            eventually(lambda: states(ops) == ([1], [1]))
            eventually(lambda: lag(settings) == 0)
            chains = log_ends(settings)
            assert find_holes([each for each in read_objects(store) if each.chain in chains]) == []
            for found in compare_chains(settings, all_sides(settings), list(chains)):
                assert (found.missing.height, found.surplus.height, found.damaged, found.changed) == (0, 0, (), ())
            stored = [
                row["event_id"]
                for each in read_objects(store, topic=TOPIC)
                for _, row in read_rows(each, store.get(each.key))
                if row["event_id"] in EVENTS
            ]
    finally:
        stop(workers)
    assert sorted(stored) == sorted(EVENTS)
