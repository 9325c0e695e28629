"""One hour's ledger: its numbers, what explains them, and what does not."""

from domain.ledger.hourly import HourlyLedger, TopicHour, notes
from schemas.topics import EVENT_TOPICS
from tests.support.builders import T0
from tests.unit.domain.ledger.fixtures import HOUR, PLAYBACK, LedgerFixture


def side(ledger: LedgerFixture, hour: int = HOUR, overdue_ms: int = 0) -> TopicHour:
    [found] = [
        side
        for side in HourlyLedger(ledger.sources, overdue_ms).check(hour, lambda _: None)
        if side.topic == PLAYBACK.topic
    ]
    return found


def ledger() -> LedgerFixture:
    """Three events of the hour, one of them twice, one of the hour after; in two objects of the lake, all compared."""
    ledger = LedgerFixture()
    ledger.play(0, 1, 1)
    ledger.play(2, received_at=T0 + 3_600_000)
    ledger.play(3)
    ledger.take(0, 3)
    ledger.take(3, 5)
    ledger.reconciler().run_once()
    return ledger


def test_each_side_is_counted_by_hour_of_receipt_and_repeats_are_explained() -> None:
    found = side(ledger())
    assert (found.kafka, found.lake, found.distinct, found.dead_letters, found.difference) == (4, 4, 3, 0, 0)
    assert list(notes([found], {"playback": 4})) == [
        "playback: 1 repeated under the same id: clients resend what was not acknowledged; tables keep one"
    ]
    assert side(ledger(), HOUR + 1).kafka == 1


def test_an_object_that_is_gone_is_a_difference_of_the_hours_that_it_held() -> None:
    broken = ledger()
    broken.store.delete(PLAYBACK.key(3))
    found = side(broken)
    assert (found.kafka, found.lake, found.difference) == (4, 3, 1)
    assert found.findings == ["playhead.playback[0]: offsets 3 to 4 are in no lake object"]
    assert side(broken, HOUR + 2).findings == []


def test_what_the_lake_has_not_taken_yet_is_in_flight_until_it_is_overdue() -> None:
    young = ledger()
    young.play(4)
    found = side(young, overdue_ms=0)
    assert (found.kafka, found.lake, found.in_flight, found.difference) == (5, 4, 1, 0)
    overdue = side(young, overdue_ms=1)
    assert (overdue.in_flight, overdue.difference) == (0, 1)
    assert overdue.findings == ["playhead.playback[0]: offset 5 is in no lake object"]


def test_it_needs_no_reconciler_before_it() -> None:
    unwatched = ledger()
    unwatched.states.states.clear()
    assert side(unwatched).kafka == 4


def test_what_the_collectors_counted_is_compared_in_words_only() -> None:
    topic = EVENT_TOPICS["ui"].name
    assert list(notes([TopicHour(topic, kafka=5, lake=5)], {"ui": 3})) == [
        "ui: 2 more in Kafka than the collectors counted: not sent by a collector, or around the full hour"
    ]
    assert list(notes([TopicHour(topic, kafka=5, lake=5)], {})) == []


def test_an_hour_without_a_record_is_said_to_be_empty() -> None:
    nothing = TopicHour(PLAYBACK.topic, kafka=0, lake=0)
    assert list(notes([nothing], {})) == ["nothing was received in this hour: is it the right one, in UTC?"]
