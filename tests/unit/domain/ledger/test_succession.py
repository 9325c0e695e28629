import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.ledger.succession import Succession, SuccessionLedger
from domain.metrics import LEDGER_MISSING_SEQS
from schemas.codec import encode
from schemas.framing import frame
from streams.reconciler.successions import EVERY_MS, SuccessionReconciler
from tests.support.builders import account_record
from tests.support.fake_metrics import FakeMetrics
from tests.unit.domain.ledger.fixtures import ACCOUNT_CHAIN, LedgerFixture


@pytest.fixture
def ledger() -> LedgerFixture:
    return LedgerFixture()


def append(ledger: LedgerFixture, account_id: str, *seqs: int) -> None:
    for seq in seqs:
        ledger.log.append(ACCOUNT_CHAIN, frame(4, encode(account_record(account_id, seq))))


def test_numbers_that_follow_each_other_miss_nothing_wherever_the_reader_began(ledger: LedgerFixture) -> None:
    append(ledger, "a", 7, 8, 9)
    append(ledger, "b", 1, 2)
    ledger.log.starts[ACCOUNT_CHAIN] = 1
    check = SuccessionLedger(ledger.sources).check()
    assert (check.holds, check.left_count, check.right_count) == (True, 2, 2)


def test_a_number_that_was_skipped_between_two_records_is_named(ledger: LedgerFixture) -> None:
    append(ledger, "a", 1, 2, 5)
    append(ledger, "b", 3, 5)
    assert SuccessionLedger(ledger.sources).check().differences == (
        "playhead.accounts: records 3 to 4 of a never came, though later ones did",
        "playhead.accounts: record 4 of b never came, though later ones did",
    )


def test_what_comes_late_is_no_longer_missing_and_a_repeat_is_nothing(ledger: LedgerFixture) -> None:
    sequences = SuccessionLedger(ledger.sources)
    append(ledger, "a", 1, 3)
    assert sequences.missing()["accounts"] == {"a": [range(2, 3)]}
    append(ledger, "a", 2, 3)
    assert sequences.missing()["accounts"] == {}


def test_records_that_left_kafka_before_they_were_read_are_not_missing(ledger: LedgerFixture) -> None:
    sequences = SuccessionLedger(ledger.sources)
    append(ledger, "a", 1)
    assert sequences.check().holds
    append(ledger, "a", 2, 3, 4)
    ledger.log.starts[ACCOUNT_CHAIN] = 3
    assert sequences.check().holds


def test_the_metric_says_how_many_are_missing_and_the_search_is_made_twice_a_minute(ledger: LedgerFixture) -> None:
    metrics, now = FakeMetrics(), [0]
    job = SuccessionReconciler(SuccessionLedger(ledger.sources), metrics, lambda: now[0])
    append(ledger, "a", 1, 4)
    job.run_once()
    assert metrics.gauges[LEDGER_MISSING_SEQS] == {
        ("playhead.accounts",): 2,
        ("playhead.entitlements",): 0,
        ("playhead.revocations",): 0,
    }
    append(ledger, "a", 2, 3, 4)
    job.run_once()
    assert metrics.gauges[LEDGER_MISSING_SEQS]["playhead.accounts",] == 2
    now[0] = EVERY_MS
    job.run_once()
    assert metrics.gauges[LEDGER_MISSING_SEQS]["playhead.accounts",] == 0


@given(st.lists(st.integers(1, 30), min_size=1, max_size=60))
def test_exactly_the_numbers_between_the_first_and_the_highest_that_never_came_are_missing(seqs: list[int]) -> None:
    seen = Succession(seqs[0])
    for seq in seqs:
        seen.take(seq)
    missing = {number for gap in seen.missing for number in gap}
    assert missing == set(range(seqs[0], max(seqs) + 1)) - set(seqs)
