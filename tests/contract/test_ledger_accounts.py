"""What the ledger may expect of the place where it keeps its accounts: the fake and Cassandra's adapter alike."""

from collections.abc import Iterator
from typing import Protocol
from uuid import uuid4

import pytest

from domain.lake.keys import Chain
from domain.ledger.collector_counts import Accepted, AcceptedStore
from domain.ledger.ports import Accounts
from domain.ledger.state import Account, Finding, HourCounts
from infra.engines.cassandra import close, connect
from infra.runtime.settings import Settings
from infra.stores.ledger_cassandra import LedgerAccepted, LedgerAccounts, LedgerReader
from tests.support.fakes import FakeLedgerAccounts


class Store(Accounts, AcceptedStore, Protocol): ...


class CassandraStore(LedgerAccounts, LedgerAccepted):
    """Both halves on one session."""

    def __init__(self, session: object) -> None:
        LedgerAccounts.__init__(self, session)
        LedgerAccepted.__init__(self, session)


@pytest.fixture(params=["fake", pytest.param("cassandra", marks=pytest.mark.engines)])
def store(request: pytest.FixtureRequest) -> Iterator[Store]:
    if request.param == "fake":
        yield FakeLedgerAccounts()
        return
    session = connect(request.getfixturevalue("stack"))
    yield CassandraStore(session)
    close(session)


@pytest.fixture
def chain() -> Chain:
    """One that nobody else knows."""
    return Chain("playhead.ui", str(uuid4()), 2)


ACCOUNT = Account(
    position=120,
    newest_object=90,
    findings=(Finding((0, 90), 7, 8, 1, "offset 7 are in no lake object"),),
    hours={471_667: HourCounts(records=119, dead_letters=1, start=0, end=120)},
)


def test_an_account_that_was_never_saved_is_empty(store: Store, chain: Chain) -> None:
    assert store.load(chain) == Account()


def test_an_account_is_loaded_as_it_was_saved_one_version_later(store: Store, chain: Chain) -> None:
    assert store.save(chain, ACCOUNT)
    assert store.load(chain) == ACCOUNT.followed()
    assert store.load(Chain(chain.topic, chain.topic_id, 3)) == Account()


def test_of_two_who_save_in_the_place_of_one_version_the_second_is_refused(store: Store, chain: Chain) -> None:
    assert store.save(chain, ACCOUNT)
    assert not store.save(chain, Account(position=60))
    assert store.load(chain).position == 120
    assert store.save(chain, store.load(chain))


def test_a_counter_within_an_hour_is_replaced_and_other_hours_are_left_alone(store: Store) -> None:
    hour = uuid4().int % 1_000_000
    store.keep([Accepted(hour, "one", "ui", 0, 5), Accepted(hour, "two", "ui", 3, 4)])
    store.keep([Accepted(hour, "one", "ui", 0, 9)])
    assert store.accepted(hour) == [Accepted(hour, "one", "ui", 0, 9), Accepted(hour, "two", "ui", 3, 4)]
    assert store.accepted(hour + 1) == []


async def test_the_pages_read_the_same_accounts(stack: Settings, chain: Chain) -> None:
    session = connect(stack)
    try:
        book = LedgerReader(session)
        assert await book.account(chain.topic_id, chain.partition) == Account()
        LedgerAccounts(session).save(chain, ACCOUNT)
        assert await book.account(chain.topic_id, chain.partition) == ACCOUNT.followed()
    finally:
        close(session)
