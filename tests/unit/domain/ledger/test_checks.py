"""The checks name what is wrong, and nothing else."""

from dataclasses import replace

import polars as pl

from domain.ledger import chain_snapshot as chains
from domain.ledger import snapshot as schema
from domain.ledger.checks import Check, run_checks
from domain.ledger.foreign import ForeignObjects
from domain.ledger.snapshot import Snapshot, TableContents

PLAYBACK = "playhead.playback"
STATE = "film", 60_000, 90_000, 58_000
DIGESTS = {"a": 100, "b": 101}


def balanced() -> Snapshot:
    """Two valid events of one session and one invalid record between them, in one lake object."""
    return Snapshot(
        began=2_000,
        partitions=pl.DataFrame([(PLAYBACK, 0, 0, 3, 2, 500)], schema=chains.PARTITIONS, orient="row"),
        kafka=pl.DataFrame(
            [
                (PLAYBACK, 0, 0, "a", "tv", True, 10, 100),
                (PLAYBACK, 0, 1, None, None, False, None, None),
                (PLAYBACK, 0, 2, "b", "tv", True, 11, 101),
            ],
            schema=chains.KAFKA,
            orient="row",
        ),
        newest=pl.DataFrame([(PLAYBACK, 0, 2, "p", "s", 1, *STATE)], schema=chains.NEWEST, orient="row"),
        objects=pl.DataFrame([(PLAYBACK, 0, "raw/o", 0, 3, 2, 2, 1, 0, "data")], schema=chains.OBJECTS, orient="row"),
        missing=pl.DataFrame(schema=chains.RECORDS),
        surplus=pl.DataFrame(schema=chains.RECORDS),
        damaged=(),
        changed=(),
        foreign=ForeignObjects((), frozenset()),
        dead_letters=pl.DataFrame([(PLAYBACK, 0, 1)], schema=chains.POSITIONS, orient="row"),
        history=history(("p", "s", 1, 1_000, *STATE)),
        client=pl.DataFrame([("a", "accepted"), ("b", "accepted")], schema=schema.CLIENT, orient="row"),
        tables=tables([(PLAYBACK, "a"), (PLAYBACK, "b")], taken=3),
    )


def history(*rows: tuple[object, ...]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=schema.HISTORY, orient="row")


def tables(events: list[tuple[str, str]], taken: int) -> TableContents:
    return TableContents(
        pl.DataFrame(
            [(*event, 1_000, DIGESTS.get(event[1], 0)) for event in events], schema=schema.TABLE_EVENTS, orient="row"
        ),
        pl.DataFrame([(PLAYBACK, 0, taken)], schema=schema.TAKEN, orient="row"),
    )


def broken(snapshot: Snapshot) -> dict[str, tuple[str, ...]]:
    return {check.name: check.differences for check in run_checks(snapshot) if not check.holds}


def test_a_whole_pipeline_balances() -> None:
    assert broken(balanced()) == {}
    assert run_checks(balanced())[0] == Check("records", "offsets in Kafka", 3, "lake + dead letters", 3, ())


def test_without_client_logs_and_tables_the_other_checks_still_run() -> None:
    assert [e.name for e in run_checks(replace(balanced(), client=None, tables=None))] == [
        "records",
        "lake rows",
        "dead letters",
        "events",
        "history",
    ]


def test_a_hole_in_a_chain_is_named() -> None:
    snapshot = balanced()
    objects = snapshot.objects.with_columns(pl.lit(1, pl.Int64).alias(name) for name in ("start", "records", "rows"))
    assert broken(replace(snapshot, objects=objects)) == {
        "records": ("playhead.playback[0]: offsets 0 to 0 are in no lake object",)
    }


def test_objects_that_overlap_are_named() -> None:
    snapshot = balanced()
    more = pl.DataFrame([(PLAYBACK, 0, "raw/p", 2, 3, 1, 1, 0, 0, "data")], schema=chains.OBJECTS, orient="row")
    assert broken(replace(snapshot, objects=pl.concat([snapshot.objects, more]))) == {
        "records": ("raw/p: starts at 2, the object before it ends at 3",)
    }


def test_a_gap_object_is_never_silent() -> None:
    snapshot = balanced()
    objects = snapshot.objects.with_columns(pl.lit("gap").alias("kind"))
    assert "offsets 0 to 2 had left Kafka" in broken(replace(snapshot, objects=objects))["records"][0]


def test_a_row_lost_inside_an_object_is_noticed() -> None:
    snapshot = balanced()
    objects = snapshot.objects.with_columns(pl.lit(1, pl.Int64).alias("rows"))
    assert broken(replace(snapshot, objects=objects)) == {
        "lake rows": ("raw/o: metadata say 2 records, the object holds 1",)
    }


def test_a_deleted_history_row_is_named_by_session() -> None:
    snapshot = balanced()
    assert broken(replace(snapshot, history=snapshot.history.clear())) == {
        "history": ("session s of profile p: newest seq in Kafka 1, in the history nothing",)
    }


def test_a_stale_history_row_is_named_by_session() -> None:
    snapshot = balanced()
    assert broken(replace(snapshot, history=history(("p", "s", 0, 1_000, *STATE)))) == {
        "history": ("session s of profile p: newest seq in Kafka 1, in the history 0",)
    }


def test_a_forged_state_in_the_history_is_named_by_its_values_and_its_event() -> None:
    forged = history(("p", "s", 1, 1_000, "other", 60_001, 90_000, 58_000))
    assert broken(replace(balanced(), history=forged)) == {
        "history": (
            "session s of profile p: title_id film in Kafka, other in the history, "
            "playhead_ms 60000 in Kafka, 60001 in the history; its event is playhead.playback[0]@2",
        )
    }


def test_of_two_events_with_the_newest_seq_the_history_may_keep_either() -> None:
    snapshot = balanced()
    other = pl.DataFrame(
        [(PLAYBACK, 0, 4, "p", "s", 1, "film", 61_000, None, 58_000)], schema=chains.NEWEST, orient="row"
    )
    assert broken(replace(snapshot, newest=pl.concat([snapshot.newest, other]))) == {}


def test_a_session_that_only_the_history_has_is_named() -> None:
    snapshot = balanced()
    more = history(("p", "made-up", 4, 1_000, *STATE))
    assert broken(replace(snapshot, history=pl.concat([snapshot.history, more]))) == {
        "history": ("session made-up of profile p: seq 4 is in the history, but not in Kafka",)
    }


def test_a_state_newer_than_kafka_s_is_named() -> None:
    assert broken(replace(balanced(), history=history(("p", "s", 2, 1_000, *STATE)))) == {
        "history": ("session s of profile p: seq 2 is in the history, but not in Kafka",)
    }


def test_what_kafka_need_not_have_any_more_is_not_judged() -> None:
    snapshot = balanced()
    dropped = snapshot.partitions.with_columns(log_start=pl.lit(1, pl.Int64))
    older = pl.concat([snapshot.history, history(("p", "old", 4, 499, *STATE), ("p", "new", 4, 2_000, *STATE))])
    assert broken(replace(snapshot, partitions=dropped, history=older)) == {}


def test_an_object_of_no_chain_is_named() -> None:
    foreign = ForeignObjects(("raw/x: Kafka has no such partition",), frozenset())
    assert broken(replace(balanced(), foreign=foreign)) == {"lake rows": ("raw/x: Kafka has no such partition",)}


def test_an_invalid_record_without_dead_letter_is_named() -> None:
    snapshot = balanced()
    assert broken(replace(snapshot, dead_letters=snapshot.dead_letters.clear())) == {
        "dead letters": ("playhead.playback[0]@1: invalid, but no dead letter names it",)
    }


def test_a_dead_letter_for_a_valid_record_is_named() -> None:
    more = pl.DataFrame([(PLAYBACK, 0, 1), (PLAYBACK, 0, 2)], schema=chains.POSITIONS, orient="row")
    assert broken(replace(balanced(), dead_letters=more)) == {
        "dead letters": ("playhead.playback[0]@2: a dead letter for a valid record",)
    }


def test_an_event_that_nobody_sent_is_named() -> None:
    snapshot = balanced()
    assert snapshot.client is not None
    assert broken(replace(snapshot, client=snapshot.client.head(1))) == {
        "sent": ("playhead.playback[0]@2: event b was never sent",)
    }


def test_what_a_service_says_of_a_device_need_not_be_in_the_device_s_log() -> None:
    snapshot = balanced()
    partition = pl.DataFrame([("playhead.accounts", 0, 0, 1, 1, 500)], schema=chains.PARTITIONS, orient="row")
    said = pl.DataFrame([("playhead.accounts", 0, 0, "c", "tv", True, 1, 1)], schema=chains.KAFKA, orient="row")
    kept = ("playhead.accounts", 0, "raw/a", 0, 1, 1, 1, 0, 0, "data")
    held = pl.DataFrame([kept], schema=chains.OBJECTS, orient="row")
    more = replace(
        snapshot,
        partitions=pl.concat([snapshot.partitions, partition]),
        kafka=pl.concat([snapshot.kafka, said]),
        objects=pl.concat([snapshot.objects, held]),
    )
    assert broken(more) == {}


def test_a_device_that_keeps_no_log_is_not_judged_by_the_logs_of_others() -> None:
    snapshot = balanced()
    kafka = snapshot.kafka.with_columns(
        device_id=pl.when(pl.col("event_id") == "b").then(pl.lit("curl")).otherwise("device_id")
    )
    assert snapshot.client is not None
    assert broken(replace(snapshot, kafka=kafka, client=snapshot.client.head(1))) == {}


def test_an_acknowledged_event_missing_from_kafka_is_named() -> None:
    snapshot = balanced()
    assert snapshot.client is not None
    client = pl.concat([snapshot.client, pl.DataFrame([("c", "accepted")], schema=schema.CLIENT, orient="row")])
    assert broken(replace(snapshot, client=client)) == {
        "acknowledged": ("event c was acknowledged, but is not in Kafka",)
    }


def test_a_long_list_of_differences_is_cut_but_counted() -> None:
    missing = pl.DataFrame([(PLAYBACK, 0, i, f"e{i}") for i in range(25)], schema=chains.RECORDS, orient="row")
    assert broken(replace(balanced(), missing=missing))["events"][-1] == "… and 15 more"


def test_an_event_that_its_table_has_passed_over_is_named() -> None:
    passed = tables([(PLAYBACK, "a")], taken=3)
    assert broken(replace(balanced(), tables=passed)) == {
        "tables": ("playhead.playback[0]@2: event b is not in its table",)
    }


def test_what_a_table_has_not_come_to_is_not_missing() -> None:
    behind = tables([(PLAYBACK, "a")], taken=2)
    checks = {e.name: e for e in run_checks(replace(balanced(), tables=behind))}
    assert checks["tables"] == Check("tables", "distinct in Kafka, taken", 1, "of these in tables", 1, ())


def test_an_event_that_is_twice_in_its_table_is_named() -> None:
    twice = tables([(PLAYBACK, "a"), (PLAYBACK, "b"), (PLAYBACK, "b")], taken=3)
    assert broken(replace(balanced(), tables=twice)) == {
        "tables": ("playhead.playback: event b is 2 times in its table, 1 were sent",)
    }


def test_two_events_under_one_id_are_two_rows_of_their_table() -> None:
    snapshot = balanced()
    kafka = snapshot.kafka.with_columns(pl.col("event_id").replace({"b": "a"}), digest=pl.lit(100, pl.UInt64))
    ids = pl.DataFrame([("a", "accepted")], schema=schema.CLIENT, orient="row")
    both = replace(snapshot, kafka=kafka, client=ids, tables=tables([(PLAYBACK, "a"), (PLAYBACK, "a")], taken=3))
    assert broken(both) == {}
    assert broken(replace(both, tables=tables([(PLAYBACK, "a")], taken=3))) == {
        "tables": ("playhead.playback: event a is 1 times in its table, 2 were sent",)
    }


def test_a_row_that_only_the_table_has_is_named() -> None:
    more = tables([(PLAYBACK, "a"), (PLAYBACK, "b"), (PLAYBACK, "c")], taken=3)
    assert broken(replace(balanced(), tables=more)) == {
        "tables": ("playhead.playback: event c is in its table, but not in Kafka",)
    }


def test_a_row_with_other_values_is_named() -> None:
    whole = tables([(PLAYBACK, "a"), (PLAYBACK, "b")], taken=3)
    forged = replace(whole, events=whole.events.with_columns(digest=pl.lit(100, pl.UInt64)))
    assert broken(replace(balanced(), tables=forged)) == {
        "tables": ("playhead.playback: event b has other values in its table",)
    }


def test_records_that_compaction_removed_before_the_lake_read_them_are_not_missing() -> None:
    assets, snapshot = "playhead.assets", balanced()
    partition = pl.DataFrame([(assets, 0, 0, 5, 2, 500)], schema=chains.PARTITIONS, orient="row")
    record = pl.DataFrame([(assets, 0, "raw/a", 0, 5, 2, 2, 0, 3, "data")], schema=chains.OBJECTS, orient="row")
    grown = replace(
        snapshot,
        partitions=pl.concat([snapshot.partitions, partition]),
        objects=pl.concat([snapshot.objects, record]),
    )
    assert broken(grown) == {}
    assert run_checks(grown)[0] == Check("records", "offsets in Kafka", 5, "lake + dead letters", 5, ())
