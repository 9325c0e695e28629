from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession

from batch.tables.audit import AuditFailed
from batch.tables.derived_tables import SOURCE, update_sessions, update_titles
from batch.tables.ingest import IngestContext, ingest
from batch.tables.sessions import merged, sessions_of
from batch.tables.table import Table, snapshot_property
from batch.tables.table_schemas import EVENTS, RECORDS, SESSIONS, TITLES
from batch.tables.viewing_records import update_records
from domain.titles.catalogue import CATALOGUE_KEY
from tests.spark.frames import events, millis, rows
from tests.spark.raw_lake import RawLake
from tests.support.builders import SESSION, playback

FIRST = {"event_id": "e0", "seq": 0, "event_type": "play_requested", "startup_time_ms": None, "watched_ms": 0}
MIDDLE = {"event_id": "e1", "seq": 1, "event_type": "heartbeat", "watched_ms": 30_000}
NEWEST_TITLES = {"event_id": "e2", "seq": 2, "event_type": "stopped", "watched_ms": 45_000}


def test_the_highest_sequence_number_is_the_session_whatever_the_clocks_say(spark: SparkSession) -> None:
    events_df = events(
        spark,
        NEWEST_TITLES | {"event_time": "2023-11-14 21:10", "received_at": "2023-11-14 21:10"},
        MIDDLE | {"event_time": "2023-11-14 23:00", "received_at": "2023-11-14 23:00"},  # sent again, much later
    )

    assert rows(sessions_of(events_df), "event_type", "watched_ms") == [("stopped", 45_000)]


def test_a_session_starts_with_its_first_event_also_when_that_arrived_last(spark: SparkSession) -> None:
    events_df = events(
        spark,
        NEWEST_TITLES | {"event_time": "2023-11-14 22:10", "received_at": "2023-11-14 22:10"},
        FIRST | {"event_time": "2023-11-14 20:59", "received_at": "2023-11-15 09:00"},  # it was offline
    )

    assert rows(sessions_of(events_df), "started_at", "first_seq") == [("2023-11-14 20:59:00", 0)]


def test_a_session_lies_on_the_day_on_which_it_was_watched_whatever_its_clock_says_and_is_one(
    spark: SparkSession,
) -> None:
    zone_wrong = {"session_started_at": "2023-11-14 16:00", "start_time": "2023-11-14 21:00:01", "seq": 1}
    in_2020 = {"session_started_at": "2020-01-01 16:00", "start_time": "2023-11-14 21:00:02", "seq": 2}
    ahead = {"session_started_at": "2023-11-17 16:00", "start_time": "2023-11-14 21:00:00", "seq": 3}
    older_software = {"session_started_at": "2023-11-14 16:00", "start_time": None, "seq": 4}

    found = sessions_of(events(spark, zone_wrong, in_2020, ahead, older_software))

    assert rows(found, "session_started_at", "seq") == [("2023-11-14 16:00:00", 4)]


def test_two_profiles_that_use_one_session_id_stay_apart(spark: SparkSession) -> None:
    events_df = events(spark, {"profile_id": "ml-1"}, {"profile_id": "ml-2"})

    assert rows(sessions_of(events_df), "profile_id") == [("ml-1",), ("ml-2",)]


@pytest.mark.parametrize("cuts", [(0, 1, 3), (0, 1, 2, 3)])
@pytest.mark.parametrize("arrival", [(FIRST, MIDDLE, NEWEST_TITLES), (NEWEST_TITLES, FIRST, MIDDLE)])
def test_any_order_and_any_cut_into_batches_gives_one_session(
    spark: SparkSession, arrival: tuple[dict[str, Any], ...], cuts: tuple[int, ...]
) -> None:
    sessions_df = sessions_of(events(spark))
    for start, stop in pairwise(cuts):
        sessions_df = sessions_df.unionByName(sessions_of(events(spark, *arrival[start:stop]))).transform(merged)

    assert rows(sessions_df, "playback_session_id", "event_type", "watched_ms", "events", "newest_event_id") == [
        (SESSION, "stopped", 45_000, 3, "e2")
    ]


def test_the_table_grows_by_what_is_new_and_equals_one_that_was_made_at_once(
    spark: SparkSession, tmp_path: Path, namespace: str
) -> None:
    lake = RawLake(tmp_path)
    context = IngestContext(spark, lake.store, lake.root, namespace, dry_run=False)
    table = Table(spark, namespace, SESSIONS)

    def run(**options: bool) -> dict[str, int]:
        reports: dict[str, int] = {}
        ingest(context, "playback", reports.__setitem__)
        update_sessions(context, reports.__setitem__, **options)
        update_records(context, reports.__setitem__, **options)
        return reports

    def event(number: int, **changes: Any) -> Any:
        return playback(event_id=f"018bcfe5-6800-7000-8000-{number:012d}", seq=number, **changes)

    other = {"playback_session_id": SESSION[:-1] + "2", "session_started_at": millis("2023-11-13 20:00")}
    lake.put(event(2, watched_ms=20_000), event(9, **other))
    run()
    untouched = table.spark.sql(
        f"SELECT file_path FROM {table.name}.files WHERE partition.session_started_at_day = '2023-11-13'"
    )
    files = untouched.collect()
    lake.put(event(3, watched_ms=30_000), event(2, watched_ms=20_000), event(0, watched_ms=0, startup_time_ms=None))
    second = run()
    third = run()

    assert second["sessions of the days touched"] == 1
    assert third["sessions changed"] == 0
    assert rows(table.rows(), "seq", "watched_ms", "events", "first_seq") == [(3, 30_000, 3, 0), (9, 58_000, 1, 9)]
    records = Table(spark, namespace, RECORDS)
    assert (second["viewing records of the days touched"], third["viewing records changed"]) == (1, 0)
    assert rows(records.rows(), *RECORDS.types) == rows(table.rows(), *RECORDS.types)
    assert untouched.collect() == files
    everything = rows(table.rows(), *SESSIONS.types)
    run(rebuild=True)
    assert rows(table.rows(), *SESSIONS.types) == everything
    assert rows(records.rows(), *RECORDS.types) == rows(table.rows(), *RECORDS.types)
    assert snapshot_property(table.history(), SOURCE) == str(
        Table(spark, namespace, EVENTS["playback"]).history()[0].id
    )


def test_titles_follow_the_catalogue_and_what_it_lacks_is_counted(
    spark: SparkSession, tmp_path: Path, namespace: str
) -> None:
    lake = RawLake(tmp_path)
    context = IngestContext(spark, lake.store, lake.root, namespace, dry_run=False)
    titles = Table(spark, namespace, TITLES)
    reports: dict[str, int] = {}
    star_wars = (
        b'{"title_id": "ml-50", "name": "Star Wars", "year": 1977, "runtime_ms": 7260000, "genres": ["Action"]}\n'
    )
    update_titles(context, reports.__setitem__)
    assert not titles.exists

    lake.store.put(CATALOGUE_KEY, star_wars)
    update_titles(context, reports.__setitem__)
    made = titles.history()
    update_titles(context, reports.__setitem__)
    lake.put(playback(), playback(event_id=SESSION, title_id="ml-404"))
    ingest(context, "playback", reports.__setitem__)
    update_sessions(context, reports.__setitem__)

    assert titles.history() == made
    assert rows(titles.rows(), "title_id", "name", "year", "country") == [("ml-50", "Star Wars", 1977, None)]
    assert reports["titles that the catalogue lacks"] == 1
    lake.store.put(CATALOGUE_KEY, star_wars * 2)
    with pytest.raises(AuditFailed, match="titles: 2 rows, but only 1 distinct title_id"):
        update_titles(context, reports.__setitem__)
    assert titles.rows().count() == 1
