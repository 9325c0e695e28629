"""The whole ledger over real bytes: what is lost, duplicated or foreign in Kafka or the lake is found and named."""

from collections.abc import Iterable
from dataclasses import replace
from functools import partial
from itertools import pairwise

import pytest

from domain.lake import objects
from domain.ledger.chain_snapshot import compare_chain
from domain.ledger.checks import run_checks
from domain.ledger.snapshot import Stores, take_snapshot
from schemas.events import ViewingRecord
from tests.support.builders import T0, viewing_record
from tests.unit.domain.ledger.fixtures import DEAD_LETTER_CHAIN, EVENT, PLAYBACK, LedgerFixture, event

SESSION = "018bcfe5-6800-7000-8000-000000000001"
PLACE = "playhead.playback[0]"


@pytest.fixture
def ledger() -> LedgerFixture:
    """Six playback events and an invalid record between them, all in the lake: in three objects."""
    ledger = LedgerFixture()
    ledger.play(0, 1)
    ledger.spoil(offset=2)
    ledger.play(3, 4, 5, 6)
    for start, end in pairwise((0, 2, 4, 7)):
        ledger.take(start, end)
    ledger.take(0, 1, DEAD_LETTER_CHAIN)
    return ledger


class Histories:
    def __init__(self, *records: ViewingRecord) -> None:
        self._records = records

    def records(self) -> Iterable[ViewingRecord]:
        return self._records


class NoTables:
    def read(self, family: str) -> None:
        return None


def broken(ledger: LedgerFixture, *more: ViewingRecord) -> dict[str, tuple[str, ...]]:
    """``more``: what the history has besides."""
    sides = ledger.sources
    stores = Stores(Histories(viewing_record(seq=6), *more), NoTables(), None)
    compare = partial(map, partial(compare_chain, sides))
    snapshot = take_snapshot(sides, compare, stores, lambda _: None, lambda: T0 + 3_600_000)
    return {check.name: check.differences for check in run_checks(snapshot) if not check.holds}


def test_a_whole_lake_balances(ledger: LedgerFixture) -> None:
    assert broken(ledger) == {}


def test_a_deleted_object_is_named_by_topic_partition_and_offset(ledger: LedgerFixture) -> None:
    ledger.store.delete(PLAYBACK.key(4))
    assert broken(ledger) == {
        "records": (f"{PLACE}: the lake ends at offset 4, Kafka at 7",),
        "events": tuple(f"{PLACE}@{n}: event {EVENT.format(n)} is not in the lake" for n in (4, 5, 6)),
    }


def test_a_deleted_first_object_is_named_even_after_kafka_has_expired_it(ledger: LedgerFixture) -> None:
    ledger.store.delete(PLAYBACK.key(0))
    ledger.log.starts[PLAYBACK] = 3
    assert broken(ledger) == {"records": (f"{PLACE}: offsets 0 to 1 are in no lake object",)}


def test_a_record_that_the_lake_does_not_have_yet_is_named(ledger: LedgerFixture) -> None:
    ledger.play(7)
    assert broken(ledger)["records"] == (f"{PLACE}: the lake ends at offset 7, Kafka at 8",)
    assert broken(ledger)["events"] == (f"{PLACE}@7: event {EVENT.format(7)} is not in the lake",)


def test_a_row_that_is_missing_inside_an_object_is_named(ledger: LedgerFixture) -> None:
    records = ledger.log.logs[PLAYBACK][4:7]
    file = ledger.file(4, [records[0], records[2]])
    ledger.store.objects[file.key] = file.body, dict(file.metadata)
    assert broken(ledger) == {
        "records": (f"{file.key}: says that Kafka had no record at 1 offsets",),
        "events": (f"{PLACE}@5: event {EVENT.format(5)} is not in the lake",),
    }


def test_another_event_at_an_offset_is_both_missing_and_surplus(ledger: LedgerFixture) -> None:
    records = ledger.log.logs[PLAYBACK][4:7]
    file = ledger.file(4, [replace(records[0], payload=event(99)), *records[1:]])
    ledger.store.objects[file.key] = file.body, dict(file.metadata)
    assert broken(ledger) == {
        "events": (
            f"{PLACE}@4: event {EVENT.format(4)} is not in the lake",
            f"{PLACE}@4: the lake has event {EVENT.format(99)}, Kafka does not",
        )
    }


def test_an_event_that_the_lake_has_once_more_at_its_end_is_named(ledger: LedgerFixture) -> None:
    file = ledger.file(7, [replace(ledger.log.logs[PLAYBACK][6], at=7)])
    ledger.store.objects[file.key] = file.body, dict(file.metadata)
    assert broken(ledger) == {
        "records": (f"{PLACE}: the lake ends at offset 8, Kafka at 7",),
        "events": (f"{PLACE}@7: the lake has event {EVENT.format(6)}, Kafka does not",),
    }


def test_rows_at_the_wrong_offsets_are_named(ledger: LedgerFixture) -> None:
    ledger.log.append(PLAYBACK, event(7), b"junk", event(8))
    records = ledger.log.logs[PLAYBACK][7:10]
    file = ledger.file(7, [replace(records[1], at=7), replace(records[0], at=8), records[2]])
    ledger.store.objects[file.key] = file.body, dict(file.metadata)
    assert broken(ledger)["events"] == (
        f"{PLACE}@7: event {EVENT.format(7)} is not in the lake",
        f"{PLACE}@8: the lake has event {EVENT.format(7)}, Kafka does not",
    )


def test_damaged_bytes_are_named(ledger: LedgerFixture) -> None:
    key = PLAYBACK.key(4)
    ledger.store.objects[key] = b"damaged", ledger.store.objects[key][1]
    found = broken(ledger)
    assert found["lake rows"] == (
        f"{PLACE}: offsets 4 to 6 are unreadable in the lake: {key} does not hold the bytes that were put",
        f"{key}: metadata say 3 records, the object holds 0",
    )
    assert len(found["events"]) == 3


def test_a_gap_object_is_a_loss(ledger: LedgerFixture) -> None:
    gap = objects.build_gap(PLAYBACK, 7, 9, {"type": "record", "name": "Playback", "fields": []})
    ledger.play(7, 8, 9)
    ledger.log.starts[PLAYBACK] = 9
    ledger.store.put_if_absent(gap.key, gap.body, gap.metadata)
    ledger.take(9, 10)
    assert broken(ledger)["records"] == (f"{PLACE}: offsets 7 to 8 had left Kafka before the lake read them",)


def test_an_invalid_record_without_a_dead_letter_is_named(ledger: LedgerFixture) -> None:
    ledger.log.logs[DEAD_LETTER_CHAIN].clear()
    ledger.store.delete(DEAD_LETTER_CHAIN.key(0))
    assert broken(ledger) == {"dead letters": (f"{PLACE}@2: invalid, but no dead letter names it",)}


def test_what_has_expired_in_kafka_is_not_a_difference(ledger: LedgerFixture) -> None:
    ledger.log.starts[PLAYBACK] = 4
    assert broken(ledger) == {}


def test_an_older_topic_of_the_same_name_is_not_compared(ledger: LedgerFixture) -> None:
    older = replace(PLAYBACK, topic_id="older-id")
    file = ledger.file(0, ledger.log.logs[PLAYBACK][0:2])
    ledger.store.objects[older.key(0)] = file.body, dict(file.metadata)
    log = ledger.log.logs[PLAYBACK]
    log[:] = [replace(record, appended=5_000) for record in log]
    assert broken(ledger) == {}


def test_a_session_whose_newest_event_is_not_in_the_history_is_named(ledger: LedgerFixture) -> None:
    ledger.play(7)
    ledger.take(7, 8)
    assert broken(ledger) == {
        "history": (f"session {SESSION} of profile ml-1: newest seq in Kafka 7, in the history 6",)
    }


def test_a_forged_object_with_its_checksum_made_again_is_named_by_offset_and_field(ledger: LedgerFixture) -> None:
    records = ledger.log.logs[PLAYBACK][4:7]
    file = ledger.file(
        4, [records[0], replace(records[1], payload=event(5, title_id="ml-1", watched_ms=1)), records[2]]
    )
    ledger.store.objects[file.key] = file.body, dict(file.metadata)
    assert broken(ledger) == {
        "events": (f"{PLACE}: offset 5 is in the lake with another title_id, watched_ms than in Kafka",)
    }


def test_an_object_doubled_inside_its_chain_is_named(ledger: LedgerFixture) -> None:
    ledger.store.objects[PLAYBACK.key(5)] = ledger.store.objects[PLAYBACK.key(4)]
    assert broken(ledger) == {"records": (f"{PLAYBACK.key(5)}: starts at 5, the object before it ends at 7",)}


def test_an_object_beyond_the_end_of_its_chain_is_named(ledger: LedgerFixture) -> None:
    file = ledger.file(1_000, [replace(ledger.log.logs[PLAYBACK][4], at=1_000)])
    ledger.store.objects[file.key] = file.body, dict(file.metadata)
    assert broken(ledger)["records"] == (
        f"{PLACE}: offsets 7 to 999 are in no lake object",
        f"{PLACE}: the lake ends at offset 1001, Kafka at 7",
    )


def test_an_object_under_another_topic_id_is_named_if_its_records_are_of_this_topic(ledger: LedgerFixture) -> None:
    ledger.log.append(PLAYBACK, event(7), at=5_000)
    ledger.log.append(PLAYBACK, event(8), at=5_001)
    ledger.take(7, 9)
    ledger.log.starts[PLAYBACK] = 7
    other = replace(PLAYBACK, topic_id="other")
    ledger.store.objects[other.key(7)] = ledger.store.objects[PLAYBACK.key(7)]
    assert broken(ledger)["lake rows"] == (
        f"{other.key(7)}: holds records of topic id {PLAYBACK.topic_id} under another topic id",
    )


def test_a_forged_topic_id_does_not_hide_a_row_that_only_the_history_has(ledger: LedgerFixture) -> None:
    log = ledger.log.logs[PLAYBACK]
    log[:] = [replace(record, appended=T0 + 3_000_000) for record in log]
    ledger.store.delete(PLAYBACK.key(4))
    ledger.take(4, 7)
    other = replace(PLAYBACK, topic_id="other")
    ledger.store.objects[other.key(0)] = ledger.store.objects[PLAYBACK.key(4)]
    invented = viewing_record(playback_session_id="018bcfe5-6800-7000-8000-00000000dead", seq=1)
    found = broken(ledger, invented)
    assert found["lake rows"] == (
        f"{other.key(0)}: holds records of topic id {PLAYBACK.topic_id} under another topic id",
    )
    assert found["history"] == (
        "session 018bcfe5-6800-7000-8000-00000000dead of profile ml-1: seq 1 is in the history, but not in Kafka",
    )


def test_an_object_of_a_partition_that_kafka_has_not_is_named(ledger: LedgerFixture) -> None:
    other = replace(PLAYBACK, partition=7)
    ledger.store.objects[other.key(0)] = ledger.store.objects[PLAYBACK.key(0)]
    assert broken(ledger) == {"lake rows": (f"{other.key(0)}: Kafka has no such partition",)}
