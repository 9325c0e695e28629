"""What Prometheus sees of the recorded values."""

from uuid import uuid4

from prometheus_client import REGISTRY, CollectorRegistry

from infra.runtime.metrics.counted_histogram import CountedHistogram
from infra.runtime.metrics.recorders import HistoryMetrics, PipelineMetrics, WorkerMetrics

SECOND = 1_790_000_000


def worker() -> tuple[WorkerMetrics, str]:
    name = str(uuid4())
    return WorkerMetrics(name, f"playhead.{name}", lambda: float(SECOND)), name


def value(metric: str, **labels: str) -> float | None:
    return REGISTRY.get_sample_value(metric, labels)


def test_each_record_counts_with_its_age_and_the_newest_one_tells_how_far_the_worker_is() -> None:
    metrics, name = worker()
    metrics.processed("playhead.ui", 3, {(SECOND - 2) * 1000: 10, (SECOND - 40) * 1000: 1})

    assert value("playhead_record_processing_delay_seconds_bucket", process=name, le="2.5") == 10
    assert value("playhead_record_processing_delay_seconds_bucket", process=name, le="60.0") == 11
    assert value("playhead_record_processing_delay_seconds_sum", process=name) == 60
    newest = value("playhead_last_record_processed_timestamp_seconds", process=name, topic="playhead.ui", partition="3")
    assert newest == SECOND - 2


def test_a_broker_whose_clock_runs_ahead_makes_no_negative_delay() -> None:
    metrics, name = worker()
    metrics.processed("playhead.ui", 0, {(SECOND + 5) * 1000: 2})
    assert value("playhead_record_processing_delay_seconds_sum", process=name) == 0
    assert value("playhead_record_processing_delay_seconds_count", process=name) == 2


def test_an_events_way_to_the_member_begins_at_its_own_time() -> None:
    before = value("playhead_event_visible_seconds_bucket", le="30.0") or 0
    HistoryMetrics("history", "playhead.history", lambda: float(SECOND)).visible([(SECOND - 20) * 1000])
    assert value("playhead_event_visible_seconds_bucket", le="30.0") == before + 1


def test_a_group_that_nobody_can_see_has_no_lag_rather_than_an_old_one() -> None:
    metrics, group = PipelineMetrics(), str(uuid4())
    metrics.lost_sight(group)
    metrics.behind(group, 7, 1.5)
    assert (value("playhead_group_lag_records", group=group), value("playhead_group_lag_seconds", group=group)) == (
        7,
        1.5,
    )
    metrics.lost_sight(group)
    assert value("playhead_group_lag_records", group=group) is None


def test_many_equal_observations_count_like_as_many_single_ones() -> None:
    registry = CollectorRegistry()
    many = CountedHistogram("many", "", registry=registry, buckets=(1, 2))
    single = CountedHistogram("single", "", registry=registry, buckets=(1, 2))
    for amount, count in ((0.5, 3), (1, 2), (2, 1), (9, 4)):
        many.observe_many(amount, count)
        for _ in range(count):
            single.observe(amount)

    def samples(name: str) -> list[float | None]:
        buckets = [registry.get_sample_value(f"{name}_bucket", {"le": le}) for le in ("1.0", "2.0", "+Inf")]
        return [*buckets, registry.get_sample_value(f"{name}_sum")]

    assert samples("many") == samples("single") == [5, 6, 10, 41.5]
