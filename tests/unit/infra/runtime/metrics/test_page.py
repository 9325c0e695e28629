import re

from infra.runtime.metrics.page import declared, labels, series


def test_every_metric_says_what_it_means_in_a_sentence() -> None:
    for metric in declared():
        [family] = metric.describe()
        assert re.fullmatch(r"[A-Z0-9].{10,}\.", family.documentation), family.name


def test_names_carry_our_prefix_and_no_label_names_a_member() -> None:
    for metric in declared():
        [family] = metric.describe()
        assert family.name.startswith(("playhead_", "kafka_consumergroup_"))
        assert not {"profile", "profile_id", "session", "title", "title_id"} & set(labels(metric))


def test_series_are_what_prometheus_stores() -> None:
    assert {"playhead_dead_letters_total", "playhead_backend_up", "playhead_quality_starts_total"} <= series()
    assert not {"playhead_dead_letters", "playhead_batch_seconds"} & series()
