"""`PLAYHEAD_PARTS` leaves the processes and backends of a part away."""

import dataclasses
from pathlib import Path

import pytest
from pydantic import ValidationError

from domain import processes
from domain.processes import BY_NAME, Process
from infra.local import backends
from infra.local.monitoring import write_configuration
from infra.local.stack import Stack
from infra.runtime.setting_groups import stack as stack_settings
from infra.runtime.settings import Settings
from services.ops.wiring import targets

PLAYBACK = Process(
    "video-test", ("-m", "services.video"), "Plays.", port=190, needs=("kafka",), group="playhead.video", part="video"
)


@pytest.fixture(autouse=True)
def table(monkeypatch: pytest.MonkeyPatch) -> None:
    """The table with one more process and one more backend, which are of the part video."""
    rows = (BY_NAME["collector"], BY_NAME["history"], PLAYBACK)
    monkeypatch.setattr(stack_settings, "of_parts", lambda parts: processes.of_parts(parts, rows))
    kafka = backends.BACKENDS[0]
    edge = dataclasses.replace(
        kafka,
        name="edge-test",
        programs=lambda settings: (dataclasses.replace(next(iter(kafka.programs(settings))), name="edge-test"),),
        part="video",
    )
    monkeypatch.setattr(backends, "BACKENDS", (kafka, edge))


def settings(*parts: str) -> Settings:
    return Settings.model_validate({"stack": "unit", "port_base": 18000} | ({"parts": parts} if parts else {}))


def test_everything_runs_by_default() -> None:
    assert Stack(settings()).select(None) == [
        *("kafka", "edge-test"),
        *("collector", "history-0", "video-test"),
        *("alertmanager", "prometheus"),
    ]


def test_the_pipeline_alone_has_neither_their_programs_nor_their_backends() -> None:
    assert Stack(settings("pipeline")).select(None) == [
        "kafka",
        *("collector", "history-0"),
        *("alertmanager", "prometheus"),
    ]


def test_what_does_not_run_is_not_monitored(tmp_path: Path) -> None:
    alone = settings("pipeline")
    write_configuration(alone, alone.processes, tmp_path)
    assert "video-test" not in (tmp_path / "prometheus.yml").read_text()
    assert "video-test" not in (tmp_path / "processes.yml").read_text()


def test_what_does_not_run_is_not_on_the_live_page_nor_awaited_by_drain() -> None:
    alone = settings("pipeline")
    assert [target.name for target in targets(alone)] == ["collector", "history"]
    assert list(processes.consumer_groups(alone.processes)) == ["playhead.history"]
    assert list(processes.consumer_groups(settings().processes)) == ["playhead.history", "playhead.video"]


def test_an_unknown_part_is_an_error() -> None:
    with pytest.raises(ValidationError, match="Input should be 'pipeline', 'video' or 'members'"):
        settings("film")
