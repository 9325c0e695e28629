import io
from pathlib import Path
from typing import Any

import fastavro
import msgspec
import pytest
import structlog
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from batch.tables.audit import AuditFailed
from batch.tables.derived_tables import update_sessions
from batch.tables.ingest import IngestContext, ingest
from batch.tables.lake_errors import LakeError
from batch.tables.table import ConcurrentCommit, Table, append, snapshot_property
from batch.tables.table_schemas import CHANGES, EVENTS, SESSIONS
from domain.lake.positions import POSITIONS_KEY
from tests.spark.frames import millis, rows
from tests.spark.raw_lake import RawLake
from tests.support.builders import account_record, playback, ui
from tests.support.newer_schemas import playback_v2


def event_id(number: int) -> str:
    return f"018bcfe5-6800-7000-8000-{number:012d}"


def event(number: int, **changes: Any) -> Any:
    return playback(event_id=event_id(number), seq=number, **changes)


class Tables:
    """The job on a lake of one test."""

    def __init__(self, spark: SparkSession, lake: RawLake, namespace: str) -> None:
        self.context = IngestContext(spark, lake.store, lake.root, namespace, dry_run=False)
        self.playback = Table(spark, namespace, EVENTS["playback"])

    def run(self, family: str = "playback", **options: bool) -> dict[str, int]:
        reports: dict[str, int] = {}
        ingest(self.context, family, reports.__setitem__, **options)
        return reports

    def seqs(self) -> list[int]:
        return [seq for (seq,) in rows(self.playback.rows(), "seq")]


@pytest.fixture
def lake(tmp_path: Path) -> RawLake:
    return RawLake(tmp_path)


@pytest.fixture
def tables(spark: SparkSession, lake: RawLake, namespace: str) -> Tables:
    return Tables(spark, lake, namespace)


def test_each_run_takes_what_is_new_and_a_second_run_finds_nothing(lake: RawLake, tables: Tables) -> None:
    lake.put(event(1), event(2))
    lake.put(event(3), partition=2)
    first = tables.run()
    lake.put(event(4))
    second = tables.run()
    third = tables.run()

    assert (first["objects found"], first["rows appended"]) == (2, 3)
    assert (second["objects found"], second["rows appended"]) == (1, 1)
    assert third == {"objects found": 0}
    assert tables.seqs() == [1, 2, 3, 4]
    assert snapshot_property(tables.playback.history(), POSITIONS_KEY) == '{"AAA":{"0":3,"2":1}}'


def test_of_repeats_the_first_in_the_log_stays_within_a_batch_and_across_batches(lake: RawLake, tables: Tables) -> None:
    earlier = {"received_at": millis("2023-11-14 22:14"), "event_time": millis("2023-11-14 22:13")}
    lake.put(event(1, country="NL"), event(1, country="BE", **earlier))  # whatever the clocks say
    lake.put(event(2, country="NL"))
    first = tables.run()
    lake.put(event(2, country="BE", event_time=event(2).event_time + 20 * 3_600_000, received_at=millis("2023-12-01")))
    second = tables.run()

    assert rows(tables.playback.rows(), "seq", "country") == [(1, "NL"), (2, "NL")]
    assert (first["conflicts left out"], second["conflicts left out"]) == (1, 1)
    assert snapshot_property(tables.playback.history(), POSITIONS_KEY) == '{"AAA":{"0":4}}'


def test_two_events_under_one_id_are_a_conflict_and_a_repeat_is_not(lake: RawLake, tables: Tables) -> None:
    later = {name: getattr(event(1), name) + 5_000 for name in ("sent_at", "received_at", "event_time")}
    lake.put(event(1), event(1, **later), event(1, profile_id="ml-2", title_id="ml-8"), event(2))
    with structlog.testing.capture_logs() as logs:
        found = tables.run()

    assert (found["repeats left out"], found["conflicts left out"]) == (1, 1)
    [warning] = [each for each in logs if each["log_level"] == "warning"]
    assert (warning["event_id"], warning["device_id"]) == (event_id(1), "device-1")
    assert rows(tables.playback.rows(), "seq", "title_id") == [(1, "ml-50"), (2, "ml-50")]


def test_two_sessions_whose_events_have_one_id_are_both_in_the_tables(lake: RawLake, tables: Tables) -> None:
    other = "018bcfe5-6800-7000-8000-000000000002"
    first, second = event(1), event(1, profile_id="ml-2", title_id="ml-8", playback_session_id=other)
    lake.put(first, second)
    lake.put(first, partition=1)
    found = [tables.run()]
    lake.put(second, playback(event_id=event_id(1), seq=2))
    found.append(tables.run())

    assert [each["rows appended"] for each in found] == [2, 1]
    assert [each["repeats left out"] for each in found] == [1, 1]
    assert rows(tables.playback.rows(), "seq", "title_id") == [(1, "ml-50"), (1, "ml-8"), (2, "ml-50")]
    update_sessions(tables.context, dict[str, int]().__setitem__)
    sessions = Table(tables.context.spark, tables.context.namespace, SESSIONS)
    assert rows(sessions.rows(), "title_id", "events") == [("ml-50", 2), ("ml-8", 1)]
    assert tables.run(rebuild=True)["rows replaced"] == 3


def test_a_record_that_the_relay_publishes_again_is_one_row(lake: RawLake, tables: Tables) -> None:
    ids = {seq: event_id(seq) for seq in (1, 2)}
    sign_up, profile = (account_record("account-1", seq, event_id=ids[seq]) for seq in (1, 2))
    lake.put(sign_up, profile, sign_up)
    found = [tables.run("accounts")]
    lake.put(profile)
    found.append(tables.run("accounts"))

    accounts = Table(tables.context.spark, tables.context.namespace, CHANGES["accounts"])
    assert [(each["rows appended"], each["repeats left out"]) for each in found] == [(2, 1), (0, 1)]
    assert rows(accounts.rows(), "account_id", "seq", "kind", "kids") == [
        ("account-1", 1, "profile", True),
        ("account-1", 2, "profile", True),
    ]


def test_a_late_event_lands_in_its_own_day(lake: RawLake, tables: Tables) -> None:
    lake.put(event(1, event_time=millis("2023-11-14 23:59:59.999"), received_at=millis("2023-11-15")))
    tables.run()
    lake.put(event(2, event_time=millis("2023-11-15"), received_at=millis("2023-11-20")))
    lake.put(event(3, event_time=millis("2023-11-14"), received_at=millis("2023-11-20")))
    tables.run()

    days = tables.context.spark.sql(
        f"SELECT partition.event_time_day AS day, record_count FROM {tables.playback.name}.files"
    )
    assert sorted((str(day), count) for day, count in days.collect()) == [
        ("2023-11-14", 1),
        ("2023-11-14", 1),
        ("2023-11-15", 1),
    ]


def test_a_rebuild_gives_the_same_table(lake: RawLake, tables: Tables) -> None:
    for number in range(4):
        repeat = event(max(number - 2, number % 2), country="BE")  # a key has one partition
        lake.put(event(number), repeat, partition=number % 2)
        tables.run()
    columns = tables.playback.rows().columns
    before = rows(tables.playback.rows(), *columns)
    again = tables.run(rebuild=True)

    assert again["rows replaced"] == len(before) == 4
    assert rows(tables.playback.rows(), *columns) == before
    assert tables.run() == {"objects found": 0}


def test_every_column_is_documented_in_the_table(lake: RawLake, tables: Tables) -> None:
    lake.put(ui())
    tables.run("ui")

    fields = Table(tables.context.spark, tables.context.namespace, EVENTS["ui"]).rows().schema.fields
    assert {field.name: field.metadata["comment"] for field in fields}["client_time"] == (
        "When it happened, by the client's own clock. Kept raw, never trusted for order."
    )
    assert all(field.metadata["comment"] for field in fields)


def test_a_column_that_the_contract_gained_is_added(lake: RawLake, tables: Tables) -> None:
    tables.playback.ensure()
    tables.context.spark.sql(f"ALTER TABLE {tables.playback.name} DROP COLUMN recommendation_id")
    tables.context.spark.sql(f"ALTER TABLE {tables.playback.name} ALTER COLUMN seq COMMENT 'old'")
    lake.put(event(1, recommendation_id="r-1"))
    tables.run()

    assert rows(tables.playback.rows(), "seq", "recommendation_id") == [(1, "r-1")]
    seq = next(field for field in tables.playback.rows().schema if field.name == "seq")
    assert seq.metadata["comment"].startswith("Sequence number within the session")


def test_a_damaged_object_publishes_nothing_and_is_named(lake: RawLake, tables: Tables) -> None:
    lake.put(event(1))
    tables.run()
    lake.put(event(2), partition=1)
    key = lake.put(event(3))
    body = lake.store.get(key)
    lake.damage(key, body[:-30] + bytes(10) + body[-20:])

    with pytest.raises(AuditFailed, match=f"{key} does not hold the bytes that were written"):
        tables.run()

    assert tables.seqs() == [1]
    lake.damage(key, body)  # the store is repaired
    assert tables.run()["rows appended"] == 2


def test_an_object_with_other_rows_than_it_says_publishes_nothing(lake: RawLake, tables: Tables) -> None:
    key = lake.put(event(1), event(2))
    body, metadata = lake.store.objects[key]
    lake.store.objects[key] = (body, metadata | {"records": "3"})

    with pytest.raises(AuditFailed, match=f"{key} should hold 3 records; 2 were read"):
        tables.run()

    assert tables.seqs() == []


def test_a_hole_in_a_chain_is_an_error(lake: RawLake, tables: Tables) -> None:
    missing = lake.put(event(1), event(2))
    after = lake.put(event(3))
    lake.store.delete(missing)

    with pytest.raises(LakeError, match=f"{after} starts at 2, but the chain before it ends at 0"):
        tables.run()


def test_a_gap_is_counted_and_passed(lake: RawLake, tables: Tables) -> None:
    lake.put_gap("playback", 7)
    assert tables.run()["positions lost before the lake"] == 7
    lake.put(event(1))

    assert tables.run()["rows appended"] == 1
    assert snapshot_property(tables.playback.history(), POSITIONS_KEY) == '{"AAA":{"0":8}}'


def test_a_lake_without_objects_gives_an_empty_table(tables: Tables) -> None:
    assert tables.run() == {"objects found": 0}
    assert tables.seqs() == []


def test_a_newer_contract_is_refused_until_this_side_knows_it(lake: RawLake, tables: Tables) -> None:
    newer = playback_v2()
    out = io.BytesIO()
    fields = msgspec.to_builtins(event(1)) | {"audio_language": "nl"}
    fastavro.schemaless_writer(out, fastavro.parse_schema(newer), fields)
    key = lake.put_datums("playback", [out.getvalue()], newer)

    with pytest.raises(
        LakeError, match=f"{key} was written by a newer contract, with audio_language, event_type audio_"
    ):
        tables.run()

    assert tables.seqs() == []


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"watched_ms": -1}, "1 rows where a count or duration is negative"),
        ({"event_time": millis("2023-11-16")}, "1 rows where event_time is after received_at"),
    ],
)
def test_what_is_out_of_range_publishes_nothing(
    lake: RawLake, tables: Tables, changes: dict[str, int], why: str
) -> None:
    lake.put(event(1), event(2, **changes))

    with pytest.raises(AuditFailed, match=f"^playback: {why}$"):
        tables.run()

    assert tables.seqs() == []
    assert tables.playback.refs().keys() == {"main"}


def test_a_commit_of_another_job_in_between_is_never_built_upon(lake: RawLake, tables: Tables) -> None:
    lake.put(event(1))
    tables.run()
    table = tables.playback
    planned = table.history()[0]
    tables.context.spark.sql(f"INSERT INTO {table.name} SELECT * FROM {table.name} WHERE false")
    staged = table.stage(table.rows(), planned, append, {})

    with pytest.raises(ConcurrentCommit, match="nothing was published, run again"):
        staged.publish()

    assert tables.seqs() == [1]


def test_of_two_jobs_that_began_alike_one_publishes(lake: RawLake, tables: Tables) -> None:
    lake.put(event(1))
    tables.run()
    table = tables.playback
    new_df = table.rows().withColumn("event_id", F.lit(event_id(2)))
    first, second = (table.stage(new_df, table.history()[0], append, {}) for _ in range(2))
    second.publish()

    with pytest.raises(ConcurrentCommit):
        first.publish()

    assert table.rows().count() == 2


def test_what_a_killed_job_left_behind_is_not_in_the_table_and_goes_with_the_next_run(
    lake: RawLake, tables: Tables
) -> None:
    lake.put(event(1))
    tables.run()
    tables.playback.stage(tables.playback.rows(), tables.playback.history()[0], append, {POSITIONS_KEY: "{}"})
    assert tables.seqs() == [1]
    lake.put(event(2))
    tables.run()

    assert tables.seqs() == [1, 2]
    assert tables.playback.refs().keys() == {"main"}


def test_a_dry_run_counts_and_makes_nothing(spark: SparkSession, lake: RawLake, namespace: str) -> None:
    lake.put(event(1), event(1), event(2))
    tables = Tables(spark, lake, namespace)
    tables.context = IngestContext(spark, lake.store, lake.root, namespace, dry_run=True)

    assert tables.run()["rows to append"] == 2
    assert not tables.playback.exists
