"""How far a worker is, record by record."""

from domain.metrics import LAG, LAST_PROCESSED, PROCESSING_DELAY
from streams.progress import report_processed, withdraw
from tests.support.fake_metrics import FakeMetrics

NOW = 1_790_000_000_000


def test_each_record_counts_with_its_age_and_the_newest_is_the_progress() -> None:
    metrics = FakeMetrics()
    report_processed(metrics, "playhead.ui", 3, {NOW - 2_000: 2, NOW - 40_000: 1}, NOW)
    assert [delay for _, delay in metrics.observations[PROCESSING_DELAY]] == [2, 2, 40]
    assert metrics.gauges[LAST_PROCESSED] == {("playhead.ui", 3): NOW / 1000 - 2}


def test_a_broker_whose_clock_runs_ahead_makes_no_negative_delay() -> None:
    metrics = FakeMetrics()
    report_processed(metrics, "playhead.ui", 0, {NOW + 5_000: 2}, NOW)
    assert [delay for _, delay in metrics.observations[PROCESSING_DELAY]] == [0, 0]


def test_a_revoked_partition_is_withdrawn() -> None:
    metrics = FakeMetrics()
    metrics.set(LAG, 7, topic="playhead.ui", partition=0)
    withdraw(metrics, "playhead.ui", 0)
    assert metrics.gauges[LAG] == {}
