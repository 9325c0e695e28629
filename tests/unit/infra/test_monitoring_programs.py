"""Prometheus and its like come from PATH, else from a folder that is filled once."""

from pathlib import Path

import pytest

from infra.local import monitoring_programs, packages
from infra.local.program import StackError


@pytest.fixture(autouse=True)
def bare_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The only folder on PATH, empty."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    return folder


def program(file: Path) -> None:
    file.touch(mode=0o755)


def test_programs_on_path_are_used_and_nothing_is_fetched(bare_machine: Path, tmp_path: Path) -> None:
    for name in ("prometheus", "promtool", "alertmanager", "amtool"):
        program(bare_machine / name)
    monitoring_programs.fetch(tmp_path)
    assert monitoring_programs.path(tmp_path, "alertmanager") == str(bare_machine / "alertmanager")
    assert not packages.folder(tmp_path, "monitoring").exists()


def test_programs_that_were_fetched_once_need_neither_apt_nor_a_network(tmp_path: Path) -> None:
    folder = packages.folder(tmp_path, "monitoring") / "usr" / "bin"
    folder.mkdir(parents=True)
    for name in ("prometheus", "promtool", "prometheus-alertmanager", "amtool"):
        program(folder / name)
    monitoring_programs.fetch(tmp_path)
    assert monitoring_programs.path(tmp_path, "alertmanager") == str(folder / "prometheus-alertmanager")


def test_a_machine_without_apt_says_what_is_missing(tmp_path: Path) -> None:
    with pytest.raises(StackError, match="so that prometheus, promtool, alertmanager, amtool are on PATH"):
        monitoring_programs.fetch(tmp_path)


def test_a_failed_download_gives_apts_reason_and_leaves_nothing(bare_machine: Path, tmp_path: Path) -> None:
    program(bare_machine / "dpkg-deb")
    apt = bare_machine / "apt-get"
    apt.write_text("#!/bin/sh\necho 'E: Failed to fetch InRelease' >&2\nexit 100\n")
    apt.chmod(0o755)
    with pytest.raises(StackError, match="E: Failed to fetch InRelease – check the network"):
        monitoring_programs.fetch(tmp_path)
    assert [file.name for file in (tmp_path / "packages").iterdir()] == [".lock"]
