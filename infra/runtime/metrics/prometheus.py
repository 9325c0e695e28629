"""Feeds the metrics of ``domain.metrics`` to Prometheus."""

from bisect import bisect_left
from contextlib import suppress
from math import nan
from typing import Any

import prometheus_client
from prometheus_client import REGISTRY

from domain.metrics import ALL, Counter, Gauge, Histogram, Metric


class PrometheusMetrics:
    """Satisfies ``domain.metrics.Metrics``. Adds the labels ``process`` and ``group`` to the metrics that have them."""

    def __init__(self, process: str = "", group: str = "") -> None:
        self._own = {"process": process, "group": group}
        self._children: dict[object, Any] = {}
        """Looking labels up in the client costs more than counting."""

    def increment(self, counter: Counter, amount: float = 1, **labels: str | int) -> None:
        self._child(counter, labels).inc(amount)

    def set(self, gauge: Gauge, value: float | None, **labels: str | int) -> None:
        if value is not None or not gauge.labels:  # a gauge without labels is always there
            self._child(gauge, labels).set(nan if value is None else value)
            return
        self._children.pop((gauge, *labels.items()), None)
        values = self._all(gauge, labels)
        with suppress(KeyError):  # it may never have been set
            _BOUND[gauge].remove(*(values[name] for name in gauge.labels))

    def observe(self, histogram: Histogram, value: float, count: int = 1, **labels: str | int) -> None:
        child = self._child(histogram, labels)
        if count == 1:
            child.observe(value)
        else:
            child.observe_many(value, count)

    def _child(self, metric: Metric, labels: dict[str, str | int]) -> Any:
        key = metric, *labels.items()
        if key not in self._children:
            bound = _BOUND[metric]
            self._children[key] = bound.labels(**self._all(metric, labels)) if metric.labels else bound
        return self._children[key]

    def _all(self, metric: Metric, labels: dict[str, str | int]) -> dict[str, str | int]:
        return {name: value for name, value in self._own.items() if name in metric.labels} | labels


class CountedHistogram(prometheus_client.Histogram):
    """Takes many equal observations as one: one by one per event would cost more than decoding the batch."""

    def observe_many(self, value: float, count: int) -> None:
        self._sum.inc(value * count)
        self._buckets[bisect_left(self._upper_bounds, value)].inc(count)


def bind(metric: Metric, registry: prometheus_client.CollectorRegistry = REGISTRY) -> Any:
    match metric:
        case Counter():
            return prometheus_client.Counter(metric.name, metric.help, metric.labels, registry=registry)
        case Gauge():
            return prometheus_client.Gauge(metric.name, metric.help, metric.labels, registry=registry)
        case Histogram():
            return CountedHistogram(metric.name, metric.help, metric.labels, buckets=metric.buckets, registry=registry)
    raise TypeError(metric)


_BOUND = {metric: bind(metric) for metric in ALL}
