"""Which process runs which files of ``make test``."""

from types import SimpleNamespace
from typing import Any

from tests.support.scheduling import ByFile

DEMO = "tests/end_to_end/test_demo.py::test_a"
KILLS, WATCH = "tests/end_to_end/test_kills.py::test_a", "tests/end_to_end/test_watch.py::test_a"
RING, STORE = "tests/chaos/test_ring.py::test_a", "tests/contract/test_outbox.py::test_a"
LOSS, EDGE = "tests/pages/test_loss.py::test_a", "tests/integration/edge/test_limits.py::test_a"


class Process:
    """As xdist's scheduler sees it."""

    def __init__(self, name: str) -> None:
        self.gateway = SimpleNamespace(id=name)
        self.given: list[int] = []
        self.done: list[str] = []
        self.shutting_down = False

    def send_runtest_some(self, indices: list[int]) -> None:
        self.given += indices

    def shutdown(self) -> None:
        self.shutting_down = True


def run(tests: list[str], processes: int) -> list[list[str]]:
    """What each process runs when all tests take equally long. All processes end."""
    config: Any = SimpleNamespace(
        getvalue=lambda _: [f"{processes}*popen"], option=SimpleNamespace(loadscopereorder=False)
    )
    scheduler = ByFile(config)
    nodes: list[Any] = [Process(f"gw{number}") for number in range(processes)]
    for node in nodes:
        scheduler.add_node(node)
        scheduler.add_node_collection(node, tests)
    scheduler.schedule()
    while waiting := [node for node in nodes if len(node.done) < len(node.given)]:
        for node in waiting:
            index = node.given[len(node.done)]
            node.done.append(tests[index])
            scheduler.mark_test_complete(node, index)
    assert all(node.shutting_down for node in nodes)
    return [node.done for node in nodes]


def test_files_that_share_a_pipeline_run_in_one_process_the_demo_in_another() -> None:
    assert run([DEMO, KILLS, WATCH, RING], 2) == [[DEMO, RING], [KILLS, WATCH]]


def test_the_third_process_runs_only_what_needs_no_test_stack() -> None:
    assert run([DEMO, KILLS, RING, STORE, LOSS, EDGE], 3) == [[DEMO, RING], [KILLS, STORE], [LOSS, EDGE]]


def test_the_others_help_it_in_the_end() -> None:
    many = [f"tests/pages/test_{number}.py::test_a" for number in range(6)]
    first, second, third = run([DEMO, KILLS, *many], 3)
    assert (first[0], second[0]) == (DEMO, KILLS)
    assert sorted(first[1:] + second[1:] + third) == many
    assert first[1:]


def test_two_processes_run_everything() -> None:
    assert run([DEMO, KILLS, LOSS, EDGE], 2) == [[DEMO, LOSS], [KILLS, EDGE]]


def test_a_third_process_without_work_ends() -> None:
    assert run([DEMO, KILLS, RING], 3) == [[DEMO, RING], [KILLS], []]
