import re

from infra.runtime.metrics.page import DECLARED, series


def test_every_metric_says_what_it_means_in_a_sentence() -> None:
    for metric in DECLARED:
        assert re.fullmatch(r"[A-Z0-9].{10,}\.", metric.help), metric.name


def test_names_carry_our_prefix_and_no_label_names_a_member() -> None:
    for metric in DECLARED:
        assert metric.name.startswith(("playhead_", "kafka_consumergroup_"))
        assert not {"profile", "profile_id", "session", "title", "title_id"} & set(metric.labels)


def test_series_are_what_prometheus_stores() -> None:
    assert {"playhead_dead_letters_total", "playhead_backend_up", "playhead_quality_starts_total"} <= series()
    assert not {"playhead_dead_letters", "playhead_batch_seconds"} & series()
