"""Snapshots of quality of experience as Prometheus sees them."""

from prometheus_client import CollectorRegistry

from domain.quality.figures import NO_STARTUPS, Figures
from domain.quality.ports import QualitySnapshot
from infra.runtime.metrics.checkpointed import CheckpointedMetrics


def test_a_partition_publishes_its_snapshot_until_it_is_withdrawn() -> None:
    registry = CollectorRegistry()
    metrics = CheckpointedMetrics(registry)
    startups = (2, 1, *NO_STARTUPS[2:])
    totals = {
        ("device", "tv", "1.0"): Figures(views=4, playing_ms=1500, startup_ms=900, startups=startups),
        ("country", "NL"): Figures(views=5),
    }
    metrics.publish(3, QualitySnapshot(totals, {("country", "NL"): 2}, 1, 0, 0, 7, 1_500, 99, {}))
    device = {"partition": "3", "device_type": "tv", "app_version": "1.0"}

    def value(name: str, **labels: str) -> float | None:
        return registry.get_sample_value(f"playhead_{name}", labels)

    assert value("quality_views_total", **device) == 4
    assert value("quality_playing_seconds_total", **device) == 1.5
    assert value("quality_by_country_views_total", partition="3", country="NL") == 5
    assert value("quality_by_country_viewers", partition="3", country="NL") == 2
    assert value("quality_startup_seconds_bucket", **device, le="0.25") == 2
    assert value("quality_startup_seconds_bucket", **device, le="+Inf") == 3
    assert value("quality_startup_seconds_sum", **device) == 0.9
    assert value("quality_clock_timestamp_seconds", partition="3") == 1.5
    metrics.withdraw(3)
    assert value("quality_views_total", **device) is None
