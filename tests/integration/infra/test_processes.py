"""Every process of the table starts, gets ready, reads all that is there, and ends by itself when it is stopped."""

from collections.abc import Iterator

import pytest

from domain.processes import PROCESSES, Process
from infra.local.stack import Stack
from tests.support.pipeline import eventually, get, playhead

NAMES = tuple(process.name for process in PROCESSES)

pytestmark = pytest.mark.engines


@pytest.fixture(scope="module")
def running(local_stack: Stack) -> Iterator[Stack]:
    local_stack.up(NAMES)
    yield local_stack
    local_stack.stop(*NAMES)


@pytest.fixture(scope="module")
def stopped(running: Stack) -> Stack:
    running.stop(*NAMES)
    return running


@pytest.mark.parametrize("process", PROCESSES, ids=lambda process: process.name)
def test_it_is_ready_and_shows_its_metrics(running: Stack, process: Process) -> None:
    for worker in running.settings.worker_numbers(process):
        name = process.worker_name(worker)
        eventually(lambda name=name: {each.name: each.state for each in running.status()}[name] == "ready")  # type: ignore[misc]
        assert "process_start_time_seconds" in get(f"{running.settings.process_url(process, worker)}/metrics").text


def test_they_read_all_that_is_in_kafka(running: Stack) -> None:
    drained = playhead("drain", "--timeout", "120")
    assert drained.returncode == 0, drained.stderr
    for process in PROCESSES:
        assert process.group is None or process.group in drained.stdout


@pytest.mark.parametrize("process", PROCESSES, ids=lambda process: process.name)
def test_it_ends_by_itself_when_it_is_stopped(stopped: Stack, process: Process) -> None:
    log = (stopped.settings.folder / "supervisor" / "supervisord.log").read_text()
    for worker in stopped.settings.worker_numbers(process):
        assert f"killing '{process.worker_name(worker)}'" not in log, "it did not end in time"
