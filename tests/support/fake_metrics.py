"""An in-memory fake of ``domain.metrics.Metrics`` that is as strict about labels as Prometheus."""

from collections import defaultdict

from domain.metrics import LAG, Counter, Gauge, Histogram, Metric

Label = str | int
Labels = tuple[Label, ...]


class FakeMetrics:
    """Satisfies ``Metrics``. The labels that an adapter adds are left out."""

    def __init__(self) -> None:
        self.counts: dict[Metric, dict[Labels, float]] = defaultdict(dict)
        self.gauges: dict[Metric, dict[Labels, float]] = defaultdict(dict)
        self.observations: dict[Metric, list[tuple[Labels, float]]] = defaultdict(list)

    def increment(self, counter: Counter, amount: float = 1, **labels: Label) -> None:
        key = _key(counter, labels)
        self.counts[counter][key] = self.counts[counter].get(key, 0) + amount

    def set(self, gauge: Gauge, value: float | None, **labels: Label) -> None:
        key = _key(gauge, labels)
        if value is None:
            self.gauges[gauge].pop(key, None)
        else:
            self.gauges[gauge][key] = value

    def observe(self, histogram: Histogram, value: float, count: int = 1, **labels: Label) -> None:
        self.observations[histogram] += [(_key(histogram, labels), value)] * count

    def observed_labels(self, histogram: Histogram) -> list[Labels]:
        return [labels for labels, _ in self.observations[histogram]]

    def total(self, counter: Counter) -> float:
        return sum(self.counts[counter].values())

    def by(self, counter: Counter, label: str) -> dict[Label, float]:
        """The counts by one label, summed over the others."""
        position, sums = _own(counter).index(label), defaultdict[Label, float](float)
        for labels, count in self.counts[counter].items():
            sums[labels[position]] += count
        return sums


def _own(metric: Metric) -> tuple[str, ...]:
    return tuple(name for name in metric.labels if name != "process" and (metric is not LAG or name != "group"))


def _key(metric: Metric, labels: dict[str, Label]) -> Labels:
    if set(labels) != set(_own(metric)):
        raise ValueError(f"{metric.name} has the labels {_own(metric)}, not {tuple(labels)}")
    return tuple(labels[name] for name in _own(metric))
