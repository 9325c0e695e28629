"""What compaction removes from Kafka is no difference; what it may not remove is one."""

import pytest

from domain.ledger.comparison import Comparison
from domain.ledger.spans import split_by_object
from schemas.codec import encode
from schemas.framing import frame
from schemas.topics import COMPACTION_LAG_MS
from tests.support.builders import T0, asset
from tests.unit.domain.ledger.fixtures import ASSET_CHAIN, LedgerFixture

OLD = T0 + COMPACTION_LAG_MS + 1


@pytest.fixture
def ledger() -> LedgerFixture:
    """Two titles, one of them published three times, in Kafka and in the lake."""
    ledger = LedgerFixture()
    records = [asset("a", 1), asset("a", 2), asset("b", 1), asset("a", 3)]
    ledger.log.append(ASSET_CHAIN, *(frame(3, encode(record)) for record in records), at=T0)
    ledger.take(0, 4, ASSET_CHAIN)
    ledger.now = OLD
    return ledger


def compared(ledger: LedgerFixture, end: int = 4) -> Comparison:
    """What Kafka and the one object differ in, where Kafka ends at ``end``."""
    objects = list(ledger.sources.objects(ASSET_CHAIN, 0))
    [comparison] = ledger.comparer.compare(ASSET_CHAIN, split_by_object((0, objects[-1].end), objects), (0, end))
    return comparison


def test_records_that_later_ones_replace_may_leave_kafka(ledger: LedgerFixture) -> None:
    ledger.log.removed |= {(ASSET_CHAIN, 0), (ASSET_CHAIN, 1)}
    assert compared(ledger).findings == ()
    assert compared(ledger).superseded == 2


def test_a_record_that_holds_may_not(ledger: LedgerFixture) -> None:
    ledger.log.removed |= {(ASSET_CHAIN, 0), (ASSET_CHAIN, 2)}
    assert [found.what for found in compared(ledger).findings] == ["offset 2 is in the lake, but not in Kafka"]


def test_nor_one_that_is_younger_than_the_lag(ledger: LedgerFixture) -> None:
    ledger.now = T0 + 1
    ledger.log.removed |= {(ASSET_CHAIN, 0)}
    assert [found.what for found in compared(ledger).findings] == ["offset 0 is in the lake, but not in Kafka"]


def test_nor_one_whose_later_record_is_younger_than_the_lag(ledger: LedgerFixture) -> None:
    ledger.log.removed |= {(ASSET_CHAIN, 1), (ASSET_CHAIN, 3)}
    ledger.log.append(ASSET_CHAIN, frame(3, encode(asset("a", 4))), at=OLD - 1)
    assert [found.what for found in compared(ledger, 5).findings] == [
        "offset 1 is in the lake, but not in Kafka",
        "offset 3 is in the lake, but not in Kafka",
    ]


def test_a_record_that_was_late_for_kafka_counts_from_its_arrival_there() -> None:
    ledger = LedgerFixture()
    ledger.now = T0 + COMPACTION_LAG_MS + 1
    received = [asset("a", seq, received_at=T0) for seq in (1, 2)]
    ledger.log.append(ASSET_CHAIN, *(frame(3, encode(record)) for record in received), at=ledger.now - 1)
    ledger.take(0, 2, ASSET_CHAIN)
    ledger.log.removed |= {(ASSET_CHAIN, 0)}
    assert [found.what for found in compared(ledger, 2).findings] == ["offset 0 is in the lake, but not in Kafka"]
