from collections.abc import Iterator

import pytest

from domain.processes import PROCESSES
from infra.local.stack import Stack
from tests.support.pipeline import Pipeline


@pytest.fixture(scope="module")
def pipeline(local_stack: Stack) -> Iterator[Pipeline]:
    """An empty test stack with every process up."""
    local_stack.wipe()
    local_stack.up()
    yield Pipeline(local_stack)
    for process in PROCESSES:
        local_stack.stop(process.name)
