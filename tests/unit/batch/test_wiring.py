"""A job's outputs, without Spark."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer

from batch import wiring
from batch.progress import Report
from batch.session import Cluster
from batch.tables.lake_errors import LakeError
from infra.runtime.settings import Settings
from tests.support.restored_logging import logging_restored


@pytest.fixture(autouse=True)
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Settings]:
    found = Settings(home=tmp_path)
    monkeypatch.setattr(wiring, "load_settings", lambda: (found, Cluster("local[1]", "1g", tmp_path)))
    monkeypatch.setattr(wiring, "start_spark", lambda *_: None)
    with logging_restored():
        yield found


def append(report: Report) -> None:
    report("rows appended", 3)


def damaged(_: Report) -> None:
    raise LakeError("raw/x cannot be read")


def test_a_person_reads_lines_and_the_log_has_json(settings: Settings, capfd: pytest.CaptureFixture[str]) -> None:
    with wiring.job("tables") as run:
        run.run_steps({"playback": append})

    printed = capfd.readouterr()
    assert printed.out.startswith("tables · playback: 3 rows appended (")
    assert printed.err == ""
    [file] = (settings.folder / "logs" / "jobs").iterdir()
    assert file.name == f"{run.id}.log"
    [line] = map(json.loads, file.read_text().splitlines())
    expected = {"run": run.id, "worker": "tables", "step": "playback", "event": "rows appended", "rows": 3}
    assert expected.items() <= line.items()


def test_a_failed_step_does_not_stop_the_others_and_decides_the_code(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(typer.Exit) as ended, wiring.job("tables") as run:
        run.run_steps({"playback": damaged, "ui": append})

    assert ended.value.exit_code == wiring.ExitCode.UNREADABLE
    printed = capfd.readouterr()
    assert printed.out.startswith("tables · ui: 3 rows appended (")
    assert printed.err == "raw/x cannot be read\n"


def test_an_expected_error_is_one_line_and_a_code(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(typer.Exit) as ended, wiring.job("dashboards"):
        raise LakeError("raw/x cannot be read")

    assert ended.value.exit_code == wiring.ExitCode.UNREADABLE
    assert capfd.readouterr().err == "raw/x cannot be read\n"
