"""Publishes the metrics of ``domain.quality.metrics``: the values of each partition's newest snapshot."""

from collections.abc import Iterable
from typing import Any

import prometheus_client.metrics_core as families
from prometheus_client import REGISTRY, CollectorRegistry
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString

from domain.metrics import Counter, Histogram, Metric
from domain.quality.metrics import METRICS, Values
from domain.quality.ports import QualitySnapshot


class CheckpointedMetrics(Collector):
    """Satisfies ``domain.quality.ports.CheckpointedMetrics``."""

    def __init__(self, registry: CollectorRegistry = REGISTRY) -> None:
        self._partitions: dict[int, dict[Metric, Values]] = {}
        registry.register(self)

    def publish(self, partition: int, snapshot: QualitySnapshot) -> None:
        self._partitions[partition] = {metric: values(snapshot) for metric, values in METRICS.items()}

    def withdraw(self, partition: int) -> None:
        self._partitions.pop(partition, None)

    def describe(self) -> Iterable[families.Metric]:
        return map(_family, METRICS)

    def collect(self) -> Iterable[families.Metric]:
        partitions = list(self._partitions.items())  # a scrape has its own thread: partitions come and go meanwhile
        for metric in METRICS:
            family = _family(metric)
            for partition, values in partitions:
                for labels, value in values[metric].items():
                    family.add_metric((str(partition), *labels), *_value(metric, value))
            yield family


def _family(metric: Metric) -> Any:
    kind = (
        families.CounterMetricFamily
        if isinstance(metric, Counter)
        else families.HistogramMetricFamily
        if isinstance(metric, Histogram)
        else families.GaugeMetricFamily
    )
    return kind(metric.name, metric.help, labels=metric.labels)


def _value(metric: Metric, value: Any) -> tuple[Any, ...]:
    """The arguments of ``add_metric``. Prometheus wants the buckets of a histogram cumulated."""
    if not isinstance(metric, Histogram):
        return (value,)
    counts, total = value
    bounds = (*map(floatToGoString, metric.buckets), "+Inf")
    so_far = 0
    return [(bound, so_far := so_far + count) for bound, count in zip(bounds, counts, strict=True)], total
