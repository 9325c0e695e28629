"""A command that needs a stack starts and stops it; a running one is left running."""

import os
import signal
import sys

import pytest

from infra.local.stack import Stack
from infra.local.supervisor import Supervisor
from infra.local.workers import environment
from tests.integration.infra.conftest import MakeStack
from tests.support.pipeline import PATIENCE_S, get, playhead

ELSEWHERE = {"kafka_bootstrap": "elsewhere:1", "registry_url": "http://elsewhere:2", "cassandra_hosts": "elsewhere"}


def stub_answers(stack: Stack) -> bool:
    return get(f"{stack.settings.collector_url}/metrics").is_success


def test_a_stack_that_was_down_is_stopped_again_also_after_sigterm_and_another_while_it_stops(
    make_stack: MakeStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    stack, handler = make_stack(), signal.getsignal(signal.SIGTERM)
    shut_down = Supervisor.shut_down

    def killed_again(supervisor: Supervisor) -> None:
        os.kill(os.getpid(), signal.SIGTERM)
        os.kill(os.getpid(), signal.SIGINT)
        shut_down(supervisor)

    monkeypatch.setattr(Supervisor, "shut_down", killed_again)

    def killed() -> None:
        with stack.ensure_running(["stub"]):
            assert stub_answers(stack)
            os.kill(os.getpid(), signal.SIGTERM)

    with pytest.raises(KeyboardInterrupt):
        killed()
    assert stack.status() == []
    assert signal.getsignal(signal.SIGTERM) is handler


def test_a_running_stack_is_left_running(make_stack: MakeStack) -> None:
    stack = make_stack()
    stack.up(["stub"])
    with stack.ensure_running(["seaweedfs"]):
        assert stub_answers(stack)
    assert stub_answers(stack)


@pytest.mark.parametrize(("end", "code"), [("sys.exit(3)", 3), ("os.kill(os.getpid(), signal.SIGTERM)", 143)])
def test_a_command_runs_with_the_local_backends_up_and_keeps_its_exit_code(
    make_stack: MakeStack, end: str, code: int
) -> None:
    stack = make_stack(**ELSEWHERE)
    asks = f"import httpx, os, signal, sys; httpx.get({stack.settings.s3!r}, timeout={PATIENCE_S}); {end}"

    run = playhead("exec", "--", sys.executable, "-c", asks, **environment(stack.settings))

    assert (run.returncode, run.stderr.count("Traceback")) == (code, 0), run.stderr
    assert stack.status() == []


def test_an_unknown_command_starts_nothing(make_stack: MakeStack) -> None:
    stack = make_stack(**ELSEWHERE)

    run = playhead("exec", "--", "no-such-command", **environment(stack.settings))

    assert (run.returncode, run.stderr) == (1, "command not found: no-such-command\n")
    assert not stack.settings.folder.exists()
