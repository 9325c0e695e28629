"""A problem of the machine is one line that says what to do."""

import os
import shutil
import socket
from pathlib import Path

import pytest

from infra.local import preflight
from infra.local.program import StackError
from infra.local.stack import Stack
from infra.local.workers import environment
from tests.integration.infra.conftest import MakeStack
from tests.integration.infra.stub_worker import STUB
from tests.support.pipeline import playhead


def test_a_taken_port_is_named_with_its_holder(make_stack: MakeStack) -> None:
    stack = make_stack()
    port = stack.settings.process_port(STUB)
    with socket.create_server(("127.0.0.1", port)), pytest.raises(StackError) as complaint:
        stack.up(["stub"])
    assert str(complaint.value).startswith(f"port {port} is taken by process {os.getpid()} (")
    assert "PLAYHEAD_PORT_BASE" in str(complaint.value)


def test_missing_java(make_stack: MakeStack, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JAVA_HOME", "/nowhere")
    with pytest.raises(StackError, match=r"Java 17 is missing .* apt-get install openjdk-17"):
        make_stack().up(["registry"])


def test_a_java_of_another_version(make_stack: MakeStack, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    java = tmp_path / "bin" / "java"
    java.parent.mkdir()
    java.write_text("#!/bin/sh\necho 'openjdk version \"11.0.2\" 2019-01-15' >&2\n")
    java.chmod(0o755)
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    with pytest.raises(StackError, match=r"Java 17 is required, .* is 11: set JAVA_HOME"):
        make_stack().up(["registry"])


def test_maven_is_required_only_until_the_jars_are_downloaded(
    make_stack: MakeStack, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    java_home = Path(shutil.which("java") or "/nowhere").resolve().parent.parent
    monkeypatch.setenv("JAVA_HOME", str(java_home))
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(StackError, match=r"Maven is missing .* apt-get install maven"):
        make_stack(home=tmp_path / "fresh").up(["registry"])


def test_a_full_disk(make_stack: MakeStack, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preflight, "FREE_DISK", 2**60)
    with pytest.raises(StackError, match=r"GiB free under .*PLAYHEAD_HOME"):
        make_stack().up(["stub"])


def test_a_failed_backend_is_named_with_its_last_log_lines_also_by_status(make_stack: MakeStack) -> None:
    stack = make_stack(registry_heap="1k")
    with pytest.raises(StackError) as complaint:
        stack.up(["registry"])
    assert str(complaint.value).startswith("registry keeps exiting: see `playhead logs registry`")
    assert "Too small maximum heap" in str(complaint.value)

    status = playhead("status", **environment(stack.settings))
    assert status.returncode == 1
    assert "FAILED" in status.stdout
    assert "registry has failed" in status.stderr
    assert "Too small maximum heap" in status.stderr


def test_an_unknown_process(make_stack: MakeStack) -> None:
    with pytest.raises(StackError, match="unknown process 'kafak': choose from kafka, "):
        make_stack().up(["kafak"])


def test_a_wrong_setting_names_its_variable() -> None:
    run = playhead("status", PLAYHEAD_TOPIC_PARTITIONS="many")
    assert run.returncode == 1
    assert run.stderr.startswith("PLAYHEAD_TOPIC_PARTITIONS: ")
    assert run.stderr.count("\n") == 1


def test_a_stack_without_a_block_of_ports() -> None:
    run = playhead("status", PLAYHEAD_STACK="mine", PLAYHEAD_PORT_BASE="")
    assert run.returncode == 1
    assert "set PLAYHEAD_PORT_BASE" in run.stderr


def test_a_command_that_needs_a_running_stack(make_stack: MakeStack) -> None:
    for command in (Stack.start, Stack.stop, Stack.restart):
        with pytest.raises(StackError, match="stack one is down: run `playhead up`"):
            command(make_stack(), "stub")


def test_wipe_reports_the_freed_space(make_stack: MakeStack) -> None:
    settings = make_stack().settings
    settings.folder.mkdir(parents=True)
    (settings.folder / "data").write_bytes(os.urandom(3 * 2**20))

    run = playhead("wipe", "--yes", **environment(settings))

    assert run.stdout == f"freed 3.0 MiB: {settings.folder}\n"
    assert run.returncode == 0
    assert not settings.folder.exists()
