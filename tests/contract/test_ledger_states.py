"""What the ledger may expect of its state store: the fake and Cassandra's adapter alike."""

from collections.abc import Iterator
from typing import Protocol
from uuid import uuid4

import pytest

from domain.lake.keys import Chain
from domain.ledger.collector_counts import CollectorCount, CollectorCountStore
from domain.ledger.ports import StateStore
from domain.ledger.state import Finding, HourCounts, ReconciliationState
from infra.engines.cassandra import close, connect
from infra.runtime.settings import Settings
from infra.stores.ledger_cassandra import CollectorCounts, LedgerReader, ReconciliationStates
from tests.support.fakes import FakeLedgerStore


class Store(StateStore, CollectorCountStore, Protocol): ...


class CassandraStore(ReconciliationStates, CollectorCounts):
    """Both halves on one session."""

    def __init__(self, session: object) -> None:
        ReconciliationStates.__init__(self, session)
        CollectorCounts.__init__(self, session)


@pytest.fixture(params=["fake", pytest.param("cassandra", marks=pytest.mark.engines)])
def store(request: pytest.FixtureRequest) -> Iterator[Store]:
    if request.param == "fake":
        yield FakeLedgerStore()
        return
    session = connect(request.getfixturevalue("stack"))
    yield CassandraStore(session)
    close(session)


@pytest.fixture
def chain() -> Chain:
    """A chain that no other test uses."""
    return Chain("playhead.ui", str(uuid4()), 2)


STATE = ReconciliationState(
    position=120,
    newest_object=90,
    findings=(Finding((0, 90), 7, 8, 1, "offset 7 are in no lake object"),),
    hours={471_667: HourCounts(records=119, dead_letters=1, start=0, end=120)},
)


def test_a_state_that_was_never_saved_is_empty(store: Store, chain: Chain) -> None:
    assert store.load(chain) == ReconciliationState()


def test_a_state_is_loaded_as_it_was_saved_one_version_later(store: Store, chain: Chain) -> None:
    assert store.save(chain, STATE)
    assert store.load(chain) == STATE.next_version()
    assert store.load(Chain(chain.topic, chain.topic_id, 3)) == ReconciliationState()


def test_of_two_saves_that_replace_one_version_the_second_is_refused(store: Store, chain: Chain) -> None:
    assert store.save(chain, STATE)
    assert not store.save(chain, ReconciliationState(position=60))
    assert store.load(chain).position == 120
    assert store.save(chain, store.load(chain))


def test_a_counter_within_an_hour_is_replaced_and_other_hours_are_left_alone(store: Store) -> None:
    hour = uuid4().int % 1_000_000
    store.save_counts([CollectorCount(hour, "one", "ui", 0, 5), CollectorCount(hour, "two", "ui", 3, 4)])
    store.save_counts([CollectorCount(hour, "one", "ui", 0, 9)])
    assert store.counts(hour) == [CollectorCount(hour, "one", "ui", 0, 9), CollectorCount(hour, "two", "ui", 3, 4)]
    assert store.counts(hour + 1) == []


async def test_the_pages_read_the_same_states(stack: Settings, chain: Chain) -> None:
    session = connect(stack)
    try:
        reader = LedgerReader(session)
        assert await reader.state(chain.topic_id, chain.partition) == ReconciliationState()
        ReconciliationStates(session).save(chain, STATE)
        assert await reader.state(chain.topic_id, chain.partition) == STATE.next_version()
    finally:
        close(session)
