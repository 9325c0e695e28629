"""``docs/reference/metrics.md``, made from the metrics' declarations."""

from domain.metrics import ALL, Counter, Gauge, Histogram, Metric
from domain.quality.metrics import METRICS

HEAD = """\
# Metrics

Every process shows its metrics under `/metrics`; `make monitor` collects them.

| metric | type | labels | what it says |
|---|---|---|---|
"""
DECLARED: tuple[Metric, ...] = (*ALL, *METRICS)
_SUFFIXES = {Counter: ("_total",), Gauge: ("",), Histogram: ("_bucket", "_count", "_sum")}
"""What Prometheus appends to a metric's name in the names of its series."""


def page() -> str:
    return HEAD + "".join(map(_row, DECLARED))


def series() -> set[str]:
    """The names under which Prometheus stores them."""
    return {metric.name + suffix for metric in DECLARED for suffix in _SUFFIXES[type(metric)]}


def _row(metric: Metric) -> str:
    name = metric.name + ("_total" if isinstance(metric, Counter) else "")
    labels = ", ".join(f"`{label}`" for label in metric.labels)
    return f"| `{name}` | {type(metric).__name__.lower()} | {labels} | {metric.help} |\n"
