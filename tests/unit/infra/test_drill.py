"""The stage of a drill: whose stack it is, and what becomes of it."""

import signal
from collections.abc import Iterator
from typing import cast

import pytest

from infra import drill
from infra.local import monitoring
from infra.local.stack import Stack


class FakeStack:
    def __init__(self, running: bool) -> None:
        self.running = running
        self.done: list[str] = []

    def status(self) -> list[str]:
        return ["kafka"] if self.running else []

    def up(self) -> None:
        self.done.append("up")

    def monitor(self) -> None:
        self.done.append("monitor")

    def down(self) -> None:
        self.done.append("down")


@pytest.fixture(autouse=True)
def installed(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(monitoring, "require_installed", lambda: None)
    before = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, before)


def test_a_stack_that_was_down_is_started_and_stopped_also_when_the_drill_breaks_off() -> None:
    stack = FakeStack(running=False)
    with pytest.raises(KeyboardInterrupt), drill.stage(cast(Stack, stack)):
        raise KeyboardInterrupt
    assert stack.done == ["up", "monitor", "down"]


def test_a_running_stack_is_left_running() -> None:
    stack = FakeStack(running=True)
    with drill.stage(cast(Stack, stack)):
        assert stack.done == ["monitor"]
    assert stack.done == ["monitor"]
