import pytest

from batch.reports.aggregates import STARTUPS
from batch.reports.metrics import metrics_of, startup_seconds
from domain.quality.formulas import startup_bucket
from tests.unit.batch.reports.few_aggregates import NONE, aggregates


def test_every_measure_of_a_group() -> None:
    of_four = aggregates(
        views=4, starts=2, failures=1, exits=1, watched_ms=5_400_000, rebuffers=3, rebuffer_ms=600_000, events_sent=16
    )

    assert metrics_of(of_four) == {
        "views": 4,
        "starts": 2,
        "hours": 1.5,
        "startup": pytest.approx(0.875),  # half of the bucket from 0.75 to 1 s
        "rebuffer_ratio": pytest.approx(0.1),
        "rebuffer_frequency": pytest.approx(1.8),
        "exit_rate": 0.25,
        "failure_rate": 0.25,
        "loss_rate": 0.375,
    }


def test_figures_without_anything_to_divide_by_are_unknown() -> None:
    unknown = ("startup", "rebuffer_ratio", "rebuffer_frequency", "exit_rate", "failure_rate", "loss_rate")
    assert metrics_of(NONE) == {"views": 0, "starts": 0, "hours": 0.0, **dict.fromkeys(unknown)}


def test_a_percentile_comes_from_the_same_histogram() -> None:
    slow = aggregates(**{STARTUPS[startup_bucket(1_000)]: 9, STARTUPS[startup_bucket(20_000)]: 1})
    assert startup_seconds(slow, 0.95) == pytest.approx(17.5)
