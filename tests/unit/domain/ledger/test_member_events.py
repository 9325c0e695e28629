"""A member's sessions, made again from the lake, and from Kafka where the lake does not have them."""

from domain.ledger.member_events import MemberEvents
from tests.support.builders import playback, recorded
from tests.unit.domain.ledger.fixtures import EVENT, PLAYBACK, LedgerFixture


def newest(ledger: LedgerFixture, *profiles: str) -> dict[str, list[int]]:
    found = MemberEvents(ledger.log, ledger.store, ledger.decoder).records(profiles)
    return {profile: [record.seq for record in records] for profile, records in found.items()}


def test_the_newest_state_of_the_lake_and_of_what_only_kafka_has() -> None:
    ledger = LedgerFixture()
    ledger.play(0, 1, profile_id="a")
    ledger.play(2, profile_id="b")
    ledger.take(0, 3)
    ledger.spoil(offset=3)
    ledger.play(4, profile_id="a")
    assert newest(ledger, "a", "b", "c") == {"a": [4], "b": [2], "c": []}


def test_what_kafka_has_dropped_is_in_the_lake() -> None:
    ledger = LedgerFixture()
    ledger.play(0, 1, 2)
    ledger.take(0, 3)
    ledger.log.starts[PLAYBACK] = 3
    assert newest(ledger, "ml-1") == {"ml-1": [2]}


def test_what_a_damaged_object_held_is_in_kafka() -> None:
    ledger = LedgerFixture()
    ledger.play(0, 1, 2)
    key = ledger.take(0, 3)
    ledger.store.objects[key] = b"damaged", ledger.store.objects[key][1]
    assert newest(ledger, "ml-1") == {"ml-1": [2]}


def test_a_record_is_as_the_history_worker_makes_it() -> None:
    ledger = LedgerFixture()
    ledger.play(5)
    ledger.take(0, 1)
    found = MemberEvents(ledger.log, ledger.store, ledger.decoder).records(["ml-1"])
    assert found == {"ml-1": [recorded(playback(event_id=EVENT.format(5), seq=5))]}
