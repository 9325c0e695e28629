"""Metrics as Prometheus sees them."""

from math import isnan
from uuid import uuid4

import pytest
from prometheus_client import REGISTRY, CollectorRegistry

from domain.metrics import BACKEND_UP, GROUP_LAG, PROCESSING_DELAY, RETRIES, TITLES_AGE, Histogram
from infra.runtime.metrics.prometheus import PrometheusMetrics, bind


def value(metric: str, **labels: str) -> float | None:
    return REGISTRY.get_sample_value(metric, labels)


def test_the_process_is_a_label_of_its_metrics() -> None:
    name = str(uuid4())
    metrics = PrometheusMetrics(name, f"playhead.{name}")
    metrics.increment(RETRIES, operation="decode")
    metrics.increment(RETRIES, 2, operation="decode")
    metrics.observe(PROCESSING_DELAY, 2.0, 10)
    metrics.observe(PROCESSING_DELAY, 40.0)

    assert value("playhead_retries_total", process=name, operation="decode") == 3
    assert value(f"{PROCESSING_DELAY.name}_bucket", process=name, le="2.5") == 10
    assert value(f"{PROCESSING_DELAY.name}_bucket", process=name, le="60.0") == 11
    assert value(f"{PROCESSING_DELAY.name}_sum", process=name) == 60


def test_an_unknown_value_is_no_series_rather_than_an_old_value() -> None:
    metrics, group = PrometheusMetrics(), str(uuid4())
    metrics.set(GROUP_LAG, None, group=group)
    metrics.set(GROUP_LAG, 7, group=group)
    assert value("playhead_group_lag_records", group=group) == 7
    metrics.set(GROUP_LAG, None, group=group)
    assert value("playhead_group_lag_records", group=group) is None
    metrics.set(GROUP_LAG, 8, group=group)
    assert value("playhead_group_lag_records", group=group) == 8


def test_an_unknown_value_of_a_gauge_without_labels_is_no_number() -> None:
    metrics = PrometheusMetrics()
    metrics.set(TITLES_AGE, None)
    assert isnan(value(TITLES_AGE.name) or 0)
    metrics.set(TITLES_AGE, 90)
    assert value(TITLES_AGE.name) == 90
    metrics.set(TITLES_AGE, None)
    assert isnan(value(TITLES_AGE.name) or 0)


@pytest.mark.parametrize("labels", [{}, {"name": "kafka"}, {"backend": "kafka", "more": "x"}])
def test_wrong_labels_are_an_error(labels: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="label"):
        PrometheusMetrics().set(BACKEND_UP, 1, **labels)


def test_many_equal_observations_count_like_as_many_single_ones() -> None:
    registry = CollectorRegistry()
    many = bind(Histogram("many", "", (), (1, 2)), registry)
    single = bind(Histogram("single", "", (), (1, 2)), registry)
    for amount, count in ((0.5, 3), (1, 2), (2, 1), (9, 4)):
        many.observe_many(amount, count)
        for _ in range(count):
            single.observe(amount)

    def samples(name: str) -> list[float | None]:
        buckets = [registry.get_sample_value(f"{name}_bucket", {"le": le}) for le in ("1.0", "2.0", "+Inf")]
        return [*buckets, registry.get_sample_value(f"{name}_sum")]

    assert samples("many") == samples("single") == [5, 6, 10, 41.5]
