"""Several jobs in one command line; the real ones are chained in ``tests/integration/batch``."""

import pytest
import typer
from typer.testing import CliRunner

from batch.chained_commands import ChainedCommands

ran: list[tuple[str, object]] = []
app = typer.Typer(cls=ChainedCommands)


@app.callback()
def group(check: bool = False) -> None:
    """Has no effect itself."""


@app.command()
def tables(table: list[str] = typer.Option([]), dry_run: bool = False) -> None:  # noqa: B008
    ran.append(("tables", (table, dry_run)))


@app.command()
def dashboards(out: str = "", day: int = 0) -> None:
    ran.append(("dashboards", (out, day)))


@pytest.fixture(autouse=True)
def forget() -> None:
    ran.clear()


def test_each_command_has_its_own_options_and_they_run_in_order() -> None:
    words = ["tables", "--table", "ui", "--table", "error", "dashboards", "--out", "tables", "tables", "--dry-run"]
    assert CliRunner().invoke(app, words).exit_code == 0
    assert ran == [("tables", (["ui", "error"], False)), ("dashboards", ("tables", 0)), ("tables", ([], True))]


@pytest.mark.parametrize("words", [["tables", "nonsense"], ["tables", "dashboards", "--day", "x"], ["tables", "--day"]])
def test_nothing_runs_if_any_of_them_is_wrong(words: list[str]) -> None:
    assert CliRunner().invoke(app, words).exit_code == 2
    assert ran == []


def test_a_check_finds_what_is_wrong_and_runs_nothing() -> None:
    assert CliRunner().invoke(app, ["--check", "tables", "--dry-run"]).exit_code == 0
    assert CliRunner().invoke(app, ["--check", "tables", "dashboards", "--day", "x"]).exit_code == 2
    assert ran == []


def test_without_a_command_it_lists_them() -> None:
    found = CliRunner().invoke(app, [])
    assert found.exit_code == 2
    assert "tables, dashboards" in found.output
