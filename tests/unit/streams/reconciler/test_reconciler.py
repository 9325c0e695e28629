"""The continuous ledger notices one record that is missing, doubled or changed, whenever and wherever that happens."""

from dataclasses import replace
from itertools import pairwise

import pytest
import structlog

from domain.lake import objects
from domain.ledger.state import HourCounts
from streams.reconciler.reconciler import merge_ranges
from tests.unit.domain.ledger.fixtures import DEAD_LETTER_CHAIN, HOUR, PLAYBACK, LedgerFixture, event


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


def test_a_whole_chain_balances_and_is_counted_by_hour_of_receipt(ledger: LedgerFixture) -> None:
    ledger.reconciler().run_once()
    assert (ledger.difference(), ledger.found()) == (0, [])
    state = ledger.states.load(PLAYBACK)
    assert state.position == 7
    assert state.hours == {0: HourCounts(0, 1, 2, 4), HOUR: HourCounts(6, 0, 0, 7)}


def test_what_was_compared_is_not_read_again_not_even_after_a_restart(ledger: LedgerFixture) -> None:
    ledger.reconciler().run_once()
    read = ledger.log.read_records
    ledger.reconciler().run_once()
    assert ledger.log.read_records == read
    ledger.play(7)
    ledger.take(7, 8)
    ledger.reconciler().run_once()
    assert ledger.log.read_records == read + 1
    assert ledger.states.load(PLAYBACK).hours[HOUR].records == 7


def test_an_object_that_is_gone_before_it_was_compared_is_missed_by_its_offsets(ledger: LedgerFixture) -> None:
    ledger.store.delete(PLAYBACK.key(2))
    ledger.reconciler().run_once()
    assert (ledger.difference(), ledger.found()) == (2, ["offsets 2 to 3 are in no lake object"])


@pytest.mark.parametrize("start", [0, 2, 4])
def test_an_object_that_is_gone_later_is_missed_by_a_restarted_ledger_too(ledger: LedgerFixture, start: int) -> None:
    ledger.reconciler().run_once()
    ledger.store.delete(PLAYBACK.key(start))
    ledger.reconciler().run_once()
    spans = {0: "offsets 0 to 1", 2: "offsets 2 to 3", 4: "offsets 4 to 6"}
    assert ledger.found() == [f"{spans[start]} are in no lake object"]


def test_it_balances_again_once_the_object_is_back_and_counts_nothing_twice(ledger: LedgerFixture) -> None:
    reconciler = ledger.reconciler()
    gone = ledger.store.objects.pop(PLAYBACK.key(2))
    reconciler.run_once()
    ledger.store.objects[PLAYBACK.key(2)] = gone
    with structlog.testing.capture_logs() as logs:
        reconciler.run_once()
    assert [(line["event"], line["what"]) for line in logs] == [
        ("differs no longer", "offsets 2 to 3 are in no lake object")
    ]
    assert (ledger.difference(), ledger.found()) == (0, [])
    assert ledger.states.load(PLAYBACK).hours == {0: HourCounts(0, 1, 2, 4), HOUR: HourCounts(6, 0, 0, 7)}


def test_a_row_that_is_missing_inside_an_object_is_named(ledger: LedgerFixture) -> None:
    records = ledger.log.logs[PLAYBACK][4:7]
    file = ledger.file(4, [records[0], records[2]])
    ledger.store.objects[file.key] = file.body, dict(file.metadata)
    ledger.reconciler().run_once()
    assert (ledger.difference(), ledger.found()) == (1, ["offset 5 is in Kafka, but not in the lake object"])


def test_another_event_at_an_offset_is_both_missing_and_surplus(ledger: LedgerFixture) -> None:
    records = ledger.log.logs[PLAYBACK][4:7]
    file = ledger.file(4, [replace(records[0], payload=event(99)), *records[1:]])
    ledger.store.objects[file.key] = file.body, dict(file.metadata)
    ledger.reconciler().run_once()
    assert ledger.found() == [
        "offset 4 is in Kafka, but not in the lake object",
        "offset 4 is in the lake, but not in Kafka",
    ]


def test_an_event_that_the_lake_has_once_more_at_its_end_is_noticed(ledger: LedgerFixture) -> None:
    doubled = replace(ledger.log.logs[PLAYBACK][6], at=7)
    file = ledger.file(7, [doubled])
    ledger.store.objects[file.key] = file.body, dict(file.metadata)
    ledger.reconciler().run_once()
    assert (ledger.difference(), ledger.found()) == (
        1,
        ["offset 7 is in a lake object, and beyond the end of Kafka's log"],
    )


def test_an_object_beyond_the_log_moves_no_position_and_is_forgotten_once_it_is_gone(ledger: LedgerFixture) -> None:
    reconciler = ledger.reconciler()
    reconciler.run_once()
    file = ledger.file(1_000, [replace(ledger.log.logs[PLAYBACK][6], at=1_000)])
    ledger.store.objects[file.key] = file.body, dict(file.metadata)
    ledger.play(7)
    ledger.take(7, 8)
    reconciler.run_once()
    assert ledger.found() == ["offset 1000 is in a lake object, and beyond the end of Kafka's log"]
    assert ledger.states.load(PLAYBACK).position == 8
    ledger.store.delete(file.key)
    ledger.play(8)
    ledger.take(8, 9)
    reconciler.run_once()
    assert (ledger.difference(), ledger.found()) == (0, [])
    assert ledger.states.load(PLAYBACK).position == 9


def test_an_object_doubled_inside_its_chain_is_named_until_it_is_gone(ledger: LedgerFixture) -> None:
    reconciler = ledger.reconciler()
    reconciler.run_once()
    ledger.store.objects[PLAYBACK.key(5)] = ledger.store.objects[PLAYBACK.key(4)]
    reconciler.run_once()
    assert ledger.found() == ["offsets 5 to 6 are in two lake objects"]
    ledger.store.delete(PLAYBACK.key(5))
    reconciler.run_once()
    assert (ledger.difference(), ledger.found()) == (0, [])


def test_an_object_overwritten_after_it_was_compared_is_named_until_it_is_back(ledger: LedgerFixture) -> None:
    reconciler = ledger.reconciler()
    reconciler.run_once()
    whole = ledger.store.objects[PLAYBACK.key(4)]
    ledger.store.objects[PLAYBACK.key(4)] = whole[0][:-1] + b"?", whole[1]
    reconciler.run_once()
    assert "offsets 4 to 6 are unreadable in the lake" in ledger.found()[0]
    records = ledger.log.logs[PLAYBACK][4:7]
    forged = ledger.file(4, [replace(records[0], payload=event(4, watched_ms=1)), *records[1:]])
    ledger.store.objects[PLAYBACK.key(4)] = forged.body, dict(forged.metadata)
    reconciler.run_once()
    assert ledger.found() == ["offset 4 is in the lake with another watched_ms than in Kafka"]
    ledger.store.objects[PLAYBACK.key(4)] = whole
    reconciler.run_once()
    assert (ledger.difference(), ledger.found()) == (0, [])


def test_damaged_bytes_are_noticed(ledger: LedgerFixture) -> None:
    key = PLAYBACK.key(4)
    ledger.store.objects[key] = b"damaged", ledger.store.objects[key][1]
    ledger.reconciler().run_once()
    assert ledger.difference() == 3
    assert "offsets 4 to 6 are unreadable in the lake" in ledger.found()[0]


def test_an_invalid_record_without_a_dead_letter_is_noticed(ledger: LedgerFixture) -> None:
    ledger.log.logs[DEAD_LETTER_CHAIN].clear()
    ledger.reconciler().run_once()
    assert ledger.found() == ["offset 2 is invalid, and named by no dead letter"]


def test_an_object_without_a_single_valid_record_balances(ledger: LedgerFixture) -> None:
    ledger.spoil(offset=7)
    ledger.take(7, 8)
    ledger.reconciler().run_once()
    assert (ledger.difference(), ledger.found()) == (0, [])


def test_a_gap_object_is_a_loss_that_stays(ledger: LedgerFixture) -> None:
    gap = objects.build_gap(PLAYBACK, 7, 9, {"type": "record", "name": "Playback", "fields": []})
    ledger.play(7, 8, 9)
    ledger.log.starts[PLAYBACK] = 9
    ledger.store.put_if_absent(gap.key, gap.body, gap.metadata)
    ledger.take(9, 10)
    for _ in range(2):
        ledger.reconciler().run_once()
        assert ledger.found() == ["offsets 7 to 8 are in a gap object: they had left Kafka before the lake read them"]


def test_a_record_that_the_lake_does_not_store_is_missed_once_it_is_overdue(
    ledger: LedgerFixture,
) -> None:
    reconciler = ledger.reconciler()
    reconciler.run_once()
    ledger.play(7)
    for ledger.now, difference in ((1_000, 0), (60_999, 0), (61_000, 1)):
        reconciler.run_once()
        assert ledger.difference() == difference
    assert ledger.found() == ["offset 7 is in Kafka for over 60 s, but not in the lake"]
    ledger.take(7, 8)
    reconciler.run_once()
    assert (ledger.difference(), ledger.found()) == (0, [])


def test_what_has_expired_in_kafka_is_not_a_difference(ledger: LedgerFixture) -> None:
    ledger.log.starts[PLAYBACK] = 4
    ledger.reconciler().run_once()
    assert ledger.difference() == 0
    assert ledger.states.load(PLAYBACK).hours == {HOUR: HourCounts(3, 0, 4, 7)}


def test_a_state_that_another_ledger_saved_meanwhile_is_loaded_again(ledger: LedgerFixture) -> None:
    mine, other = ledger.reconciler(), ledger.reconciler()
    mine.run_once()
    other.run_once()
    ledger.play(7)
    ledger.take(7, 8)
    other.run_once()
    ledger.play(8)
    ledger.take(8, 9)
    with pytest.raises(Exception, match="another ledger keeps the state"):
        mine.run_once()
    mine.run_once()
    assert ledger.states.load(PLAYBACK).hours[HOUR].records == 8


def test_spans_that_overlap_become_one() -> None:
    assert merge_ranges({(0, 5), (3, 9), (9, 10), (4, 5)}) == [(0, 9), (9, 10)]
