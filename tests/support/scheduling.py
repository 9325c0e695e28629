"""Which process runs which files of ``make test``, and in which order."""

from collections.abc import Sequence

import pytest
from xdist.scheduler import LoadFileScheduling
from xdist.workermanage import WorkerController

SHARING = {"tests/end_to_end/": "pipeline", "tests/spark/": "spark", "tests/integration/batch/": "spark"}
"""Files that share what takes long to start: a whole pipeline, and a warm Spark."""
FIRST = (
    "tests/end_to_end/test_demo.py",
    "tests/end_to_end/",
    "tests/spark/",
    "tests/integration/batch/",
    "tests/chaos/",
    "tests/integration/",
)
"""Those that start the test stack whole come first, while nothing of it runs; then what takes longest, so that all
processes end at about the same time."""
WITHOUT_TEST_STACK = (
    "tests/unit/",
    "tests/pages/",
    "tests/integration/edge/",
    "tests/integration/gateway/",
    "tests/integration/infra/test_complaints.py",
    "tests/integration/infra/test_ensure_running.py",
    "tests/integration/infra/test_stack.py",
    "tests/integration/test_package.py",
)
LIGHT = "gw2"
"""xdist's third process. It starts no test stack, for which there is no memory, and what it runs mostly waits: for a
video that plays, a lease that ends, a rate that is allowed again."""


def in_order(items: Sequence[pytest.Item]) -> list[pytest.Item]:
    def place(item: pytest.Item) -> int:
        return next((place for place, start in enumerate(FIRST) if item.nodeid.startswith(start)), len(FIRST))

    return sorted(items, key=place)


class ByFile(LoadFileScheduling):  # type: ignore[misc]
    """One process runs all tests of a file, and all of those that share something.

    xdist's own groups are lost with this pytest, whose node ids cannot be changed any more.
    """

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        if file == FIRST[0]:
            return file
        return next((shared for folder, shared in SHARING.items() if file.startswith(folder)), file)

    def _assign_work_unit(self, node: WorkerController) -> None:
        if found := self._next(node):
            self.workqueue.move_to_end(found, last=False)
            super()._assign_work_unit(node)

    def _reschedule(self, node: WorkerController) -> None:
        if self._next(node):
            super()._reschedule(node)
        elif not node.shutting_down:
            node.shutdown()

    def _next(self, node: WorkerController) -> str | None:
        """The light process runs what needs no test stack; the others take of that what it leaves."""
        light = [scope for scope in self.workqueue if scope.startswith(WITHOUT_TEST_STACK)]
        heavy = [] if node.gateway.id == LIGHT else [scope for scope in self.workqueue if scope not in light]
        return next(iter([*heavy, *light]), None)
