"""The ledger names what is wrong, and holds its peace when nothing is."""

from dataclasses import replace

import polars as pl

from domain.ledger import snapshot as schema
from domain.ledger.equations import Equation, balance
from domain.ledger.snapshot import Sides, TableSide

PLAYBACK = "playhead.playback"


def balanced() -> Sides:
    """Two valid events of one session and one invalid record between them, in one lake object."""
    return Sides(
        partitions=pl.DataFrame([(PLAYBACK, 0, 0, 3)], schema=schema.PARTITIONS, orient="row"),
        kafka=pl.DataFrame(
            [
                (PLAYBACK, 0, 0, "a", True, "s", 0, "tv"),
                (PLAYBACK, 0, 1, None, False, None, None, None),
                (PLAYBACK, 0, 2, "b", True, "s", 1, "tv"),
            ],
            schema=schema.KAFKA,
            orient="row",
        ),
        objects=pl.DataFrame([(PLAYBACK, 0, "raw/o", 0, 3, 2, 1, "data")], schema=schema.OBJECTS, orient="row"),
        lake=pl.DataFrame([(PLAYBACK, 0, 0, "a"), (PLAYBACK, 0, 2, "b")], schema=schema.RECORDS, orient="row"),
        damaged=(),
        dead_letters=pl.DataFrame([(PLAYBACK, 0, 1)], schema=schema.POSITIONS, orient="row"),
        history=pl.DataFrame([("s", 1)], schema=schema.SESSIONS, orient="row"),
        client=pl.DataFrame([("a", "accepted"), ("b", "accepted")], schema=schema.CLIENT, orient="row"),
        tables=tables([(PLAYBACK, "a"), (PLAYBACK, "b")], taken=3),
    )


def tables(events: list[tuple[str, str]], taken: int) -> TableSide:
    return TableSide(
        pl.DataFrame(events, schema=schema.TABLE_EVENTS, orient="row"),
        pl.DataFrame([(PLAYBACK, 0, taken)], schema=schema.TAKEN, orient="row"),
    )


def broken(sides: Sides) -> dict[str, tuple[str, ...]]:
    return {equation.name: equation.differences for equation in balance(sides) if not equation.holds}


def test_a_whole_pipeline_balances() -> None:
    assert broken(balanced()) == {}
    assert balance(balanced())[0] == Equation("records", "offsets in Kafka", 3, "lake + dead letters", 3, ())


def test_without_client_logs_and_tables_the_other_equations_still_stand() -> None:
    assert [e.name for e in balance(replace(balanced(), client=None, tables=None))] == [
        "records",
        "lake rows",
        "dead letters",
        "events",
        "history",
    ]


def test_a_deleted_lake_object_is_named_by_topic_partition_and_offset() -> None:
    sides = balanced()
    found = broken(replace(sides, objects=sides.objects.clear(), lake=sides.lake.clear()))
    assert found["records"] == ("playhead.playback[0]: the lake ends at offset 0, Kafka at 3",)
    assert found["events"] == (
        "playhead.playback[0]@0: event a is not in the lake",
        "playhead.playback[0]@2: event b is not in the lake",
    )


def test_a_hole_in_a_chain_is_named() -> None:
    sides = balanced()
    objects = sides.objects.with_columns(pl.lit(1, pl.Int64).alias("start"), pl.lit(1, pl.Int64).alias("records"))
    assert broken(replace(sides, objects=objects))["records"] == (
        "playhead.playback[0]: offsets 0 to 0 are in no lake object",
    )


def test_a_gap_object_is_never_silent() -> None:
    sides = balanced()
    objects = sides.objects.with_columns(pl.lit("gap").alias("kind"))
    assert "offsets 0 to 2 had left Kafka" in broken(replace(sides, objects=objects))["records"][0]


def test_a_row_lost_inside_an_object_is_noticed() -> None:
    sides = balanced()
    assert broken(replace(sides, lake=sides.lake.head(1))) == {
        "lake rows": ("playhead.playback[0]: metadata say 2 records, the objects hold 1",),
        "events": ("playhead.playback[0]@2: event b is not in the lake",),
    }


def test_a_damaged_object_is_named() -> None:
    assert broken(replace(balanced(), damaged=("raw/o does not hold the bytes that were put",))) == {
        "lake rows": ("raw/o does not hold the bytes that were put",)
    }


def test_a_deleted_history_row_is_named_by_session() -> None:
    sides = balanced()
    assert broken(replace(sides, history=sides.history.clear())) == {
        "history": ("session s: newest seq in Kafka 1, in the history nothing",)
    }


def test_a_stale_history_row_is_named_by_session() -> None:
    sides = balanced()
    history = pl.DataFrame([("s", 0)], schema=schema.SESSIONS, orient="row")
    assert broken(replace(sides, history=history)) == {
        "history": ("session s: newest seq in Kafka 1, in the history 0",)
    }


def test_an_invalid_record_without_dead_letter_is_named() -> None:
    sides = balanced()
    assert broken(replace(sides, dead_letters=sides.dead_letters.clear())) == {
        "dead letters": ("playhead.playback[0]@1: invalid, but no dead letter names it",)
    }


def test_an_event_that_nobody_sent_is_named() -> None:
    sides = balanced()
    assert sides.client is not None
    assert broken(replace(sides, client=sides.client.head(1))) == {
        "sent": ("playhead.playback[0]@2: event b was never sent",)
    }


def test_a_device_that_keeps_no_log_is_not_judged_by_the_logs_of_others() -> None:
    sides = balanced()
    kafka = sides.kafka.with_columns(
        device_id=pl.when(pl.col("event_id") == "b").then(pl.lit("curl")).otherwise("device_id")
    )
    assert sides.client is not None
    assert broken(replace(sides, kafka=kafka, client=sides.client.head(1))) == {}


def test_an_acknowledged_event_missing_from_kafka_is_named() -> None:
    sides = balanced()
    assert sides.client is not None
    client = pl.concat([sides.client, pl.DataFrame([("c", "accepted")], schema=schema.CLIENT, orient="row")])
    assert broken(replace(sides, client=client)) == {"acknowledged": ("event c was acknowledged, but is not in Kafka",)}


def test_a_long_list_of_differences_is_cut_but_counted() -> None:
    kafka = pl.DataFrame(
        [(PLAYBACK, 0, i, f"e{i}", True, None, None, None) for i in range(25)], schema=schema.KAFKA, orient="row"
    )
    sides = replace(balanced(), kafka=kafka, lake=balanced().lake.clear(), client=None)
    assert broken(sides)["events"][-1] == "… and 15 more"


def test_an_event_that_its_table_has_passed_over_is_named() -> None:
    passed = tables([(PLAYBACK, "a")], taken=3)
    assert broken(replace(balanced(), tables=passed)) == {
        "tables": ("playhead.playback[0]@2: event b is not in its table",)
    }


def test_what_a_table_has_not_come_to_is_not_missing() -> None:
    behind = tables([(PLAYBACK, "a")], taken=2)
    equations = {e.name: e for e in balance(replace(balanced(), tables=behind))}
    assert equations["tables"] == Equation("tables", "distinct in Kafka, taken", 1, "of these in tables", 1, ())


def test_an_event_that_is_twice_in_its_table_is_named() -> None:
    twice = tables([(PLAYBACK, "a"), (PLAYBACK, "b"), (PLAYBACK, "b")], taken=3)
    assert broken(replace(balanced(), tables=twice)) == {
        "tables": ("playhead.playback: event b is 2 times in its table",)
    }
