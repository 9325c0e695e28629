"""``playhead`` is one app whose help imports no drivers."""

import json
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from domain.api_keys import hashed
from infra.cli import ELSEWHERE, app
from infra.local.stack import Stack, Status

DRIVERS = ("cassandra", "confluent_kafka", "boto3", "pyspark", "httpx", "pydantic", "producers", "batch")
HELP = """
import json, sys
from infra.cli import app
try:
    app(["--help"])
finally:
    print(json.dumps([name for name in json.loads(sys.argv[1]) if name in sys.modules]))
"""
STACK = """
import json, sys
import infra.local.stack
print(json.dumps([name for name in json.loads(sys.argv[1]) if name in sys.modules]))
"""


def test_help_lists_every_command_and_imports_no_driver() -> None:
    run = subprocess.run([sys.executable, "-c", HELP, json.dumps(DRIVERS)], capture_output=True, text=True, check=True)
    *text, imported = run.stdout.splitlines()
    assert json.loads(imported) == []
    listed = [line.split()[1] for line in text if len(line.split()) > 1]
    assert set(ELSEWHERE) | {"up", "status", "demo"} <= set(listed)


def test_a_stack_is_known_without_the_drivers_of_its_engines() -> None:
    drivers = json.dumps(["cassandra", "confluent_kafka", "boto3"])
    run = subprocess.run([sys.executable, "-c", STACK, drivers], capture_output=True, text=True, check=True)
    assert json.loads(run.stdout) == []


@pytest.mark.parametrize(
    ("arguments", "usage"),
    [
        (["simulate"], "playhead simulate [OPTIONS] COMMAND [ARGS]..."),
        (["simulate", "live"], "playhead simulate live [OPTIONS]"),
        (["replay"], "playhead replay [OPTIONS]"),
        (["compact"], "playhead compact [OPTIONS]"),
        (["job", "tables"], "playhead job tables [OPTIONS]"),
        (["sql"], "playhead sql [OPTIONS] ["),
    ],
)
def test_a_command_of_another_package_has_its_own_help(arguments: list[str], usage: str) -> None:
    help_text = CliRunner().invoke(app, [*arguments, "--help"], prog_name="playhead").output
    assert f"Usage: {usage}" in help_text


def test_status_names_a_process_that_runs_and_is_not_ready(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Stack, "status", lambda _: [Status("accounts", "silent", pid=7, uptime_s=60, port=20005)])
    done = CliRunner().invoke(app, ["status"])
    assert done.exit_code == 1
    assert "accounts is silent; its last log lines" in done.stderr


def test_a_new_key_is_shown_with_the_setting_that_has_its_hash() -> None:
    key, setting = CliRunner().invoke(app, ["key", "phone"]).output.splitlines()
    assert f"phone={hashed(key.split()[1])} " in setting
    assert len(key.split()[1]) > 40


def test_a_simulation_of_viewers_ends_at_once_where_no_collector_answers() -> None:
    """Port 41 is reserved: nothing listens there."""
    run = CliRunner().invoke(app, ["simulate", "live", "--seconds", "3600"], env={"PLAYHEAD_PORT_BASE": "40"})
    assert run.exit_code == 1
    assert "nothing answers at http://127.0.0.1:41: is the stack up?" in run.output


@pytest.mark.parametrize(
    ("words", "completed"),
    [("playhead dr", {"drain", "drill"}), ("playhead simulate ", {"past", "live", "accounts", "catalogue"})],
)
def test_the_shell_completes_commands_of_every_package(words: str, completed: set[str]) -> None:
    shell = {
        "_PLAYHEAD_COMPLETE": "complete_bash",
        "COMP_WORDS": words,
        "COMP_CWORD": str(len(words.split(" ")) - 1),
    }
    answer = CliRunner().invoke(app, [], prog_name="playhead", env=shell).output
    assert set(answer.split()) == completed


def test_a_known_error_of_a_command_of_another_package_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLAYHEAD_STACK", "nowhere")
    monkeypatch.delenv("PLAYHEAD_PORT_BASE", raising=False)
    run = CliRunner().invoke(app, ["drain"], prog_name="playhead")
    assert run.exit_code == 1
    assert run.stderr.splitlines() == [
        "stack 'nowhere' has no block of ports: set PLAYHEAD_PORT_BASE (for example 16000)"
    ]
