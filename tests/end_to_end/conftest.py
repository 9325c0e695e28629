from collections.abc import Iterator

import pytest

from infra.local.stack import Stack
from infra.runtime.settings import Settings
from tests.conftest import ENGINES
from tests.support.pipeline import Pipeline


@pytest.fixture(scope="package")
def pipeline(empty_stack: Stack) -> Iterator[Pipeline]:
    """An empty test stack with every process up, two of them history workers; one for all tests that send into it.

    The engines stay up for the tests that follow.
    """
    empty_stack.wipe()
    stack = Stack(Settings(workers={"history": 2}, lake_flush_seconds=1))
    stack.up()
    yield Pipeline(stack)
    stack.stop(*(process.name for process in stack.status() if process.name not in ENGINES))
