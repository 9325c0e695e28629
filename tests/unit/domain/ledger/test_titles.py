"""The newest record of each title is the same in the bucket, Kafka and the lake; what differs is named."""

import pytest

from domain.ledger.titles import Newest, TitleLedger
from domain.metrics import LEDGER_TITLES
from schemas.codec import encode
from schemas.framing import frame
from streams.reconciler.titles import EVERY_MS, TitleReconciler
from tests.support.builders import asset
from tests.unit.domain.ledger.fixtures import ASSET_CHAIN, LedgerFixture

EVENT = "018bcfe5-6800-7000-8000-{:012d}"
LAKE_1 = f"lake record 1 ({EVENT.format(1)})"


class FakeRecordObjects:
    def __init__(self) -> None:
        self.newest: dict[str, Newest] = {}

    def newest_by_title(self) -> dict[str, Newest]:
        return self.newest


class Titles(LedgerFixture):
    def __init__(self) -> None:
        super().__init__()
        self.records = FakeRecordObjects()
        self.titles = TitleLedger(self.sources, self.records)

    def put(self, title: str, seq: int) -> None:
        self.records.newest[title] = Newest(seq, EVENT.format(seq))

    def publish(self, title: str, seq: int) -> None:
        self.log.append(ASSET_CHAIN, frame(3, encode(asset(title, seq))))

    def differing(self) -> list[str]:
        return list(self.titles.differences().values())


@pytest.fixture
def ledger() -> Titles:
    """Title a with two records, b with one: everywhere."""
    ledger = Titles()
    for title, seq in (("a", 1), ("b", 1), ("a", 2)):
        ledger.put(title, seq)
        ledger.publish(title, seq)
    ledger.take(0, 3, ASSET_CHAIN)
    return ledger


def test_titles_whose_sides_agree_do_not_differ_and_are_read_once(ledger: Titles) -> None:
    assert ledger.differing() == []
    assert ledger.differing() == []
    assert ledger.log.read_records == 3


def test_a_record_that_never_reached_kafka_differs(ledger: Titles) -> None:
    ledger.put("b", 2)
    assert ledger.differing() == [
        f"b: newest in bucket record 2 ({EVENT.format(2)}), Kafka record 1 ({EVENT.format(1)}), "
        f"lake record 1 ({EVENT.format(1)})"
    ]


def test_a_record_that_another_one_overtook_on_its_way_to_kafka_differs_since_compaction_would_keep_it(
    ledger: Titles,
) -> None:
    ledger.publish("a", 1)
    ledger.take(3, 4, ASSET_CHAIN)
    assert list(ledger.titles.differences()) == ["a"]
    ledger.publish("a", 2)
    ledger.take(4, 5, ASSET_CHAIN)
    assert ledger.differing() == []


def test_a_record_that_nobody_put_into_the_bucket_differs(ledger: Titles) -> None:
    ledger.publish("c", 1)
    ledger.take(3, 4, ASSET_CHAIN)
    assert ledger.differing() == [f"c: newest in bucket none, Kafka record 1 ({EVENT.format(1)}), " + LAKE_1]


def test_a_title_whose_lake_object_is_lost_differs(ledger: Titles) -> None:
    ledger.store.delete(ASSET_CHAIN.key(0))
    assert list(ledger.titles.differences()) == ["a", "b"]


def test_compaction_changes_nothing(ledger: Titles) -> None:
    ledger.log.removed.add((ASSET_CHAIN, 0))
    assert ledger.differing() == []


def test_a_title_that_its_table_should_have_by_now_and_lacks_is_named(ledger: Titles) -> None:
    at = (ASSET_CHAIN.topic_id, ASSET_CHAIN.partition)
    assert ledger.titles.check(None).holds
    assert ledger.titles.check(({at: 3}, [EVENT.format(2), EVENT.format(1)])).holds
    assert ledger.titles.check(({at: 2}, [EVENT.format(1)])).holds, "the table has not read the last record yet"
    missing = ledger.titles.check(({at: 3}, [EVENT.format(1)]))
    assert missing.differences == ("a: record 2 is not in the table",)
    assert (missing.left_count, missing.right_count) == (2, 1)


def test_a_difference_counts_once_it_has_lasted(ledger: Titles) -> None:
    reconciler = TitleReconciler(ledger.titles, ledger.metrics, 2 * EVERY_MS, lambda: ledger.now)
    ledger.put("b", 2)
    counted = []
    for _ in range(4):
        ledger.now += EVERY_MS
        reconciler.run_once()
        counted.append(int(ledger.metrics.gauges[LEDGER_TITLES][()]))
    assert counted == [0, 0, 1, 1]
    ledger.publish("b", 2)
    ledger.take(3, 4, ASSET_CHAIN)
    reconciler.run_once()
    assert ledger.metrics.gauges[LEDGER_TITLES][()] == 1, "a minute has not passed"
    ledger.now += EVERY_MS
    reconciler.run_once()
    assert ledger.metrics.gauges[LEDGER_TITLES][()] == 0
