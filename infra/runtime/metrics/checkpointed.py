"""Counters and histograms that are shown as a checkpoint has them, never incremented.

What a worker counted survives it in its checkpoint, so its successor goes on from the very same value. Sums of
increments would not do: they differ in the last digit, and to Prometheus a counter that falls by that has restarted.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Generic, TypeVar

from prometheus_client import REGISTRY
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString

Labels = tuple[str, ...]
Value = TypeVar("Value")


class Checkpointed(Collector, Generic[Value]):
    """Series by partition, which is always the first label; a partition's series come and go together."""

    def __init__(self, name: str, documentation: str, labelnames: Sequence[str]) -> None:
        self.name = name
        self.documentation = documentation
        self.labelnames = ("partition", *labelnames)
        self._series: dict[int, Mapping[Labels, Value]] = {}
        REGISTRY.register(self)

    def publish(self, partition: int, values: Mapping[Labels, Value]) -> None:
        """Values by the labels after the partition; they replace all that the partition showed before."""
        self._series[partition] = values

    def withdraw(self, partition: int) -> None:
        self._series.pop(partition, None)

    def describe(self) -> Iterable[Metric]:
        raise NotImplementedError

    def _shown(self) -> list[tuple[Labels, Value]]:
        """A scrape has a thread of its own: partitions may come and go meanwhile."""
        shown = list(self._series.items())
        return [((str(partition), *labels), value) for partition, values in shown for labels, value in values.items()]


class CheckpointedCounter(Checkpointed[float]):
    def describe(self) -> Iterable[Metric]:
        return [CounterMetricFamily(self.name, self.documentation, labels=self.labelnames)]

    def collect(self) -> Iterable[Metric]:
        family = CounterMetricFamily(self.name, self.documentation, labels=self.labelnames)
        for labels, value in self._shown():
            family.add_metric(labels, value)
        return [family]


class CheckpointedGauge(Checkpointed[float]):
    def describe(self) -> Iterable[Metric]:
        return [GaugeMetricFamily(self.name, self.documentation, labels=self.labelnames)]

    def collect(self) -> Iterable[Metric]:
        family = GaugeMetricFamily(self.name, self.documentation, labels=self.labelnames)
        for labels, value in self._shown():
            family.add_metric(labels, value)
        return [family]


class CheckpointedHistogram(Checkpointed[tuple[Sequence[int], float]]):
    """A value: how many observations each bucket has, the one without an upper bound last; and their sum."""

    def __init__(self, name: str, documentation: str, labelnames: Sequence[str], bounds: Sequence[float]) -> None:
        self._bounds = (*map(floatToGoString, bounds), "+Inf")
        super().__init__(name, documentation, labelnames)

    def describe(self) -> Iterable[Metric]:
        return [HistogramMetricFamily(self.name, self.documentation, labels=self.labelnames)]

    def collect(self) -> Iterable[Metric]:
        family = HistogramMetricFamily(self.name, self.documentation, labels=self.labelnames)
        for labels, (counts, total) in self._shown():
            so_far = 0
            buckets = [(bound, so_far := so_far + count) for bound, count in zip(self._bounds, counts, strict=True)]
            family.add_metric(labels, buckets, total)
        return [family]
