"""A day of simulated events through the tables job, which is killed once, compared with an oracle without Spark."""

import os
import signal
from collections.abc import Iterable, Sequence
from random import Random
from zlib import crc32

import msgspec
import polars as pl
from pyiceberg.exceptions import NoSuchTableError
from typer.testing import CliRunner

from batch.main import app
from domain.lake.keys import Chain
from domain.lake.objects import pack
from infra.engines.iceberg import EventTables, load
from infra.engines.s3 import ObjectStore
from infra.runtime.settings import Settings
from producers.simulator.network import Faults, arrivals
from producers.simulator.synthetic import members
from producers.simulator.visits import Span, visits
from schemas.avro import schema
from schemas.codec import encode
from schemas.events import Event, Playback, family, key
from schemas.topics import EVENT_TOPICS
from tests.integration.batch import tables
from tests.integration.batch.conftest import Command, spark_submit

DAY_MS = 24 * 60 * 60 * 1000
DAY = Span(1_790_000_000_000, 1_790_000_000_000 + DAY_MS)
FAMILIES = ("playback", "ui")
FAULTS = Faults(late=0.1, duplicated=0.1, reordered=0.05, corrupt=0, lost=0.01)
TABLES = (*FAMILIES, "playback_sessions")
RUN = ("tables", *(word for name in TABLES for word in ("--table", name)))
PARTITIONS = 2
OBJECT_EVENTS = 50


def a_day_of_arrivals() -> list[Event]:
    """In the order in which they arrived, repeats included."""
    deliveries = arrivals(visits(members(60, seed=5), DAY, 5), FAULTS, DAY, 5)
    return [delivery.event for delivery in deliveries if family(delivery.event) in FAMILIES]


def chains(events: Iterable[Event]) -> dict[Chain, list[list[Event]]]:
    """Each partition's objects."""
    logs: dict[Chain, list[Event]] = {}
    for event in events:
        chain = Chain(
            EVENT_TOPICS[family(event)].name, "TopicIdOfThisTest00000", crc32(key(event).encode()) % PARTITIONS
        )
        logs.setdefault(chain, []).append(event)
    return {
        chain: [log[start : start + OBJECT_EVENTS] for start in range(0, len(log), OBJECT_EVENTS)]
        for chain, log in logs.items()
    }


def put(store: ObjectStore, chain: Chain, number: int, events: Sequence[Event]) -> None:
    start = number * OBJECT_EVENTS
    file = pack(chain, start, schema(family(events[0])), [encode(event) for event in events])
    store.put_if_absent(file.key, file.body, file.metadata)


def expected_events(events: Iterable[Event], name: str) -> pl.DataFrame:
    """Each event id as it was first delivered."""
    first: dict[str, Event] = {}
    for event in events:
        if family(event) == name:
            first.setdefault(event.event_id, event)
    return pl.DataFrame([msgspec.structs.asdict(event) for event in first.values()], infer_schema_length=None)


def expected_sessions(events: Iterable[Event]) -> dict[str, tuple[int, str, int, int]]:
    """Session -> newest seq, what happened then, first seq, how many events."""
    sessions: dict[str, dict[int, Playback]] = {}
    for event in events:
        if isinstance(event, Playback):
            sessions.setdefault(event.playback_session_id, {}).setdefault(event.seq, event)
    return {
        session: (max(seqs), str(seqs[max(seqs)].event_type), min(seqs), len(seqs))
        for session, seqs in sessions.items()
    }


def kill_after_reading(settings: Settings) -> None:
    """SIGKILL to the job and its JVM once it has read the objects and goes on to write."""
    with spark_submit(settings, *RUN) as process:
        assert process.stdout
        seen = ""
        for line in process.stdout:
            seen += line
            if "rows read" in line and "playback" in line:
                break
        assert "rows read" in seen, seen
        os.killpg(process.pid, signal.SIGKILL)


def published(settings: Settings, name: str) -> int:
    try:
        snapshot = load(settings, name).current_snapshot()
    except NoSuchTableError:
        return 0
    return int(snapshot.summary["total-records"] or 0) if snapshot and snapshot.summary else 0


def test_killed_shuffled_and_run_twice_the_tables_are_those_of_one_run_and_of_the_oracle(
    lake: ObjectStore, settings: Settings, command: Command
) -> None:
    arrived = a_day_of_arrivals()
    assert len({event.event_id for event in arrived}) < len(arrived)
    waiting = {chain: list(enumerate(objects)) for chain, objects in chains(arrived).items()}
    order = [chain for chain, objects in waiting.items() for _ in objects]
    Random(3).shuffle(order)
    for chain in order[: len(order) // 2]:
        put(lake, chain, *waiting[chain].pop(0))

    kill_after_reading(settings)
    assert published(settings, "playback") == 0
    half = command(*RUN)
    assert half.code == 0, half.stderr
    for chain in order[len(order) // 2 :]:
        put(lake, chain, *waiting[chain].pop(0))
    rest = command(*RUN)

    assert rest.code == 0, rest.stderr
    assert rest.reports["playback: rows appended"] > 0
    for name in FAMILIES:
        found = tables.rows(settings, name)
        expected = expected_events(arrived, name)
        assert found.equals(expected.select(found.columns).cast(found.schema).sort(pl.all()))
        assert found.equals(tables.rows_by_polars(settings, name))
    taken = EventTables(settings).read("playback")
    assert taken is not None
    assert sum(taken.taken.values()) == sum(isinstance(event, Playback) for event in arrived)
    assert sorted(taken.rows["event_id"]) == expected_events(arrived, "playback")["event_id"].sort().to_list()
    assert EventTables(settings).read("error") is None
    sessions = tables.rows(settings, "playback_sessions")
    states = sessions.select("playback_session_id", "seq", "event_type", "first_seq", "events")
    assert {row[0]: tuple(row[1:]) for row in states.iter_rows()} == expected_sessions(arrived)

    in_pieces = {name: tables.rows(settings, name) for name in TABLES}
    repeats = command(*RUN, *RUN, "--rebuild")
    assert repeats.code == 0, repeats.stderr
    again, at_once = repeats.jobs
    assert again == {
        "playback: objects found": 0,
        "ui: objects found": 0,
        "playback_sessions: sessions changed": 0,
    }
    assert at_once["playback: rows replaced"] == in_pieces["playback"].height
    assert all(tables.rows(settings, name).equals(rows) for name, rows in in_pieces.items())


def test_a_damaged_object_fails_the_audit_of_its_table_only(
    lake: ObjectStore, settings: Settings, command: Command
) -> None:
    by_chain = chains(a_day_of_arrivals())
    for chain, objects in by_chain.items():
        put(lake, chain, 0, objects[0])
    damaged = next(chain for chain in by_chain if chain.topic == EVENT_TOPICS["ui"].name)
    body = lake.get(damaged.key(0))
    metadata = lake.head(damaged.key(0))
    lake.delete(damaged.key(0))
    lake.put_if_absent(damaged.key(0), body[:-40] + bytes(40), metadata)

    run = command(*RUN)

    assert run.code == 5
    assert f"{damaged.key(0)} does not hold the bytes that were written" in run.stderr
    assert "Traceback" not in run.stderr
    assert published(settings, "ui") == 0
    assert published(settings, "playback") > 0
    after = command("maintain", "--keep-days", "0", "tables", "--table", "playback")
    assert after.code == 0, after.stderr
    maintained, taken = after.jobs
    assert maintained["playback: files"] > 0
    assert taken == {"playback: objects found": 0}


def test_an_unknown_table_is_refused_before_anything_starts() -> None:
    run = CliRunner().invoke(app, ["tables", "--table", "films"])

    assert run.exit_code == 2
    assert "no table films" in run.stderr
