"""Collectors' counters become counts by hour, across restarts of either side."""

from collections.abc import Sequence

from domain.ledger.collector_counts import CollectorCountRecorder, Counters, by_family
from domain.ledger.state import HOUR_MS
from tests.support.fakes import FakeLedgerStore


class OneCollector:
    def __init__(self) -> None:
        self.now = 10 * HOUR_MS
        self.current: Sequence[Counters] = ()
        self.store = FakeLedgerStore()

    def count(self, at: float, total: int, life: str = "first", began_at: float = 10) -> None:
        """At this hour the collector has counted this many since it began."""
        self.now = int(at * HOUR_MS)
        self.current = (Counters(life, int(began_at * HOUR_MS), {"ui": total}),)

    def counters(self) -> Sequence[Counters]:
        return self.current

    def reconciler(self) -> CollectorCountRecorder:
        return CollectorCountRecorder(self, self.store, lambda: self.now)

    def counts(self, hour: int) -> dict[str, int]:
        return by_family(self.store.counts(hour))


def test_an_hour_counts_from_where_the_hour_before_ended() -> None:
    one = OneCollector()
    reconciler = one.reconciler()
    for at, total in ((10.1, 5), (10.9, 8), (11.0, 9), (11.5, 20)):
        one.count(at, total)
        reconciler.run_once()
    assert [one.counts(hour) for hour in (10, 11, 12)] == [{"ui": 8}, {"ui": 12}, {}]


def test_a_restarted_collector_begins_again_and_what_was_counted_stays() -> None:
    one = OneCollector()
    reconciler = one.reconciler()
    for at, total, life in ((10.1, 5, "first"), (10.2, 3, "second")):
        one.count(at, total, life)
        reconciler.run_once()
    assert one.counts(10) == {"ui": 8}


def test_a_restarted_ledger_continues_from_what_is_stored() -> None:
    one = OneCollector()
    for at, total in ((10.9, 5), (11.1, 7), (11.2, 9)):
        one.count(at, total)
        one.reconciler().run_once()
    assert (one.counts(10), one.counts(11)) == ({"ui": 5}, {"ui": 4})


def test_what_an_older_collector_counted_before_the_first_run_is_of_no_known_hour() -> None:
    one = OneCollector()
    one.count(10.5, total=100, began_at=3)
    one.reconciler().run_once()
    assert one.counts(10) == {"ui": 0}


def test_a_collector_that_does_not_answer_changes_nothing() -> None:
    one = OneCollector()
    one.reconciler().run_once()
    assert one.counts(10) == {}
