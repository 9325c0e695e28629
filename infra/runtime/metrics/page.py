"""``docs/reference/metrics.md``, made from the metrics' own declarations."""

from collections.abc import Iterator
from typing import Any

from prometheus_client.metrics import MetricWrapperBase

from infra.runtime.metrics import definitions as metrics
from infra.runtime.metrics.checkpointed import Checkpointed

Metric = MetricWrapperBase | Checkpointed[Any]
HEAD = """\
# Metrics

Every process shows its metrics under `/metrics`; `make monitor` collects them.

| metric | type | labels | what it says |
|---|---|---|---|
"""
SUFFIXES = {"counter": ("_total",), "gauge": ("",), "histogram": ("_bucket", "_count", "_sum")}
"""What stands behind a metric's name in the names of its series."""


def page() -> str:
    return HEAD + "".join(map(_row, declared()))


def declared() -> Iterator[Metric]:
    """Our metrics, in the order of their declaration."""
    for value in vars(metrics).values():
        for each in value.values() if isinstance(value, dict) else (value,):
            if isinstance(each, MetricWrapperBase | Checkpointed):
                yield each


def labels(metric: Metric) -> tuple[str, ...]:
    return tuple(metric.labelnames if isinstance(metric, Checkpointed) else metric._labelnames)


def series() -> set[str]:
    """The names under which Prometheus stores them."""
    families = [family for metric in declared() for family in metric.describe()]
    return {family.name + suffix for family in families for suffix in SUFFIXES[family.type]}


def _row(metric: Metric) -> str:
    [family] = metric.describe()
    name = family.name + ("_total" if family.type == "counter" else "")
    shown = ", ".join(f"`{label}`" for label in labels(metric))
    return f"| `{name}` | {family.type} | {shown} | {family.documentation} |\n"
