"""The continuous ledger notices one record that is missing, doubled or changed, whenever and wherever that happens."""

from dataclasses import replace
from itertools import pairwise

import pytest

from domain.lake import objects
from domain.ledger.state import HourCounts
from streams.reconciler.reconciler import merged
from tests.unit.domain.ledger.fixtures import HOUR, LETTERS, PLAYBACK, World, event


@pytest.fixture
def world() -> World:
    """Six playback events and an invalid record between them, all in the lake: in three objects."""
    world = World()
    world.play(0, 1)
    world.spoil(offset=2)
    world.play(3, 4, 5, 6)
    for start, end in pairwise((0, 2, 4, 7)):
        world.take(start, end)
    world.take(0, 1, LETTERS)
    return world


def test_a_whole_chain_balances_and_is_counted_by_hour_of_receipt(world: World) -> None:
    world.watch().look()
    assert (world.difference(), world.found()) == (0, [])
    account = world.accounts.load(PLAYBACK)
    assert account.position == 7
    assert account.hours == {0: HourCounts(0, 1, 2, 4), HOUR: HourCounts(6, 0, 0, 7)}


def test_what_was_compared_is_not_read_again_not_even_after_a_restart(world: World) -> None:
    world.watch().look()
    read = world.log.read_records
    world.watch().look()
    assert world.log.read_records == read
    world.play(7)
    world.take(7, 8)
    world.watch().look()
    assert world.log.read_records == read + 1
    assert world.accounts.load(PLAYBACK).hours[HOUR].records == 7


def test_an_object_that_is_gone_before_it_was_compared_is_missed_by_its_offsets(world: World) -> None:
    world.store.delete(PLAYBACK.key(2))
    world.watch().look()
    assert (world.difference(), world.found()) == (2, ["offsets 2 to 3 are in no lake object"])


@pytest.mark.parametrize("start", [0, 2, 4])
def test_an_object_that_is_gone_later_is_missed_also_by_a_restarted_ledger(world: World, start: int) -> None:
    world.watch().look()
    world.store.delete(PLAYBACK.key(start))
    world.watch().look()
    spans = {0: "offsets 0 to 1", 2: "offsets 2 to 3", 4: "offsets 4 to 6"}
    assert world.found() == [f"{spans[start]} are in no lake object"]


def test_it_balances_again_once_the_object_is_back_and_counts_nothing_twice(world: World) -> None:
    watch = world.watch()
    gone = world.store.objects.pop(PLAYBACK.key(2))
    watch.look()
    world.store.objects[PLAYBACK.key(2)] = gone
    watch.look()
    assert (world.difference(), world.found()) == (0, [])
    assert world.accounts.load(PLAYBACK).hours == {0: HourCounts(0, 1, 2, 4), HOUR: HourCounts(6, 0, 0, 7)}


def test_a_row_that_is_missing_inside_an_object_is_named(world: World) -> None:
    records = world.log.logs[PLAYBACK][4:7]
    sealed = world.seal(4, [records[0], records[2]])
    world.store.objects[sealed.key] = sealed.body, dict(sealed.metadata)
    world.watch().look()
    assert (world.difference(), world.found()) == (1, ["offset 5 is in Kafka, but not in the lake object"])


def test_another_event_at_an_offset_is_both_missing_and_too_much(world: World) -> None:
    records = world.log.logs[PLAYBACK][4:7]
    sealed = world.seal(4, [replace(records[0], payload=event(99)), *records[1:]])
    world.store.objects[sealed.key] = sealed.body, dict(sealed.metadata)
    world.watch().look()
    assert world.found() == [
        "offset 4 is in Kafka, but not in the lake object",
        "offset 4 is in the lake, but not in Kafka",
    ]


def test_an_event_that_the_lake_has_once_more_at_its_end_is_noticed(world: World) -> None:
    doubled = replace(world.log.logs[PLAYBACK][6], at=7)
    sealed = world.seal(7, [doubled])
    world.store.objects[sealed.key] = sealed.body, dict(sealed.metadata)
    world.watch().look()
    assert (world.difference(), world.found()) == (1, ["offset 7 is in the lake, but not in Kafka"])


def test_damaged_bytes_are_noticed(world: World) -> None:
    key = PLAYBACK.key(4)
    world.store.objects[key] = b"damaged", world.store.objects[key][1]
    world.watch().look()
    assert world.difference() == 3
    assert "offsets 4 to 6 are unreadable in the lake" in world.found()[0]


def test_an_invalid_record_without_a_dead_letter_is_noticed(world: World) -> None:
    world.log.logs[LETTERS].clear()
    world.watch().look()
    assert world.found() == ["offset 2 is invalid, and named by no dead letter"]


def test_an_object_without_a_single_valid_record_balances(world: World) -> None:
    world.spoil(offset=7)
    world.take(7, 8)
    world.watch().look()
    assert (world.difference(), world.found()) == (0, [])


def test_a_gap_object_is_a_loss_that_stays(world: World) -> None:
    gap = objects.build_gap(PLAYBACK, 7, 9, {"type": "record", "name": "Playback", "fields": []})
    world.play(7, 8, 9)
    world.log.starts[PLAYBACK] = 9
    world.store.put_if_absent(gap.key, gap.body, gap.metadata)
    world.take(9, 10)
    for _ in range(2):
        world.watch().look()
        assert world.found() == ["offsets 7 to 8 are in a gap object: they had left Kafka before the lake read them"]


def test_a_record_that_the_lake_does_not_take_is_missed_when_it_is_overdue_and_not_before(world: World) -> None:
    watch = world.watch()
    watch.look()
    world.play(7)
    for world.now, difference in ((1_000, 0), (60_999, 0), (61_000, 1)):
        watch.look()
        assert world.difference() == difference
    assert world.found() == ["offset 7 is in Kafka for over 60 s, but not in the lake"]
    world.take(7, 8)
    watch.look()
    assert (world.difference(), world.found()) == (0, [])


def test_where_kafka_has_expired_the_lake_is_believed(world: World) -> None:
    world.log.starts[PLAYBACK] = 4
    world.watch().look()
    assert world.difference() == 0
    assert world.accounts.load(PLAYBACK).hours == {HOUR: HourCounts(3, 0, 4, 7)}


def test_an_account_that_another_ledger_saved_meanwhile_is_loaded_again(world: World) -> None:
    mine, other = world.watch(), world.watch()
    mine.look()
    other.look()
    world.play(7)
    world.take(7, 8)
    other.look()
    world.play(8)
    world.take(8, 9)
    with pytest.raises(Exception, match="another ledger keeps the account"):
        mine.look()
    mine.look()
    assert world.accounts.load(PLAYBACK).hours[HOUR].records == 8


def test_spans_that_overlap_become_one() -> None:
    assert merged({(0, 5), (3, 9), (9, 10), (4, 5)}) == [(0, 9), (9, 10)]
