from collections.abc import Iterator

import pytest

from infra.local.stack import Stack
from infra.runtime.settings import Settings
from tests.support.pipeline import Pipeline


@pytest.fixture(scope="package")
def pipeline(local_stack: Stack) -> Iterator[Pipeline]:
    """An empty test stack with every process up, two of them history workers; one for all tests that send into it."""
    local_stack.wipe()
    stack = Stack(Settings(workers={"history": 2}, lake_flush_seconds=1))
    stack.up()
    yield Pipeline(stack)
    stack.down()
    local_stack.up(("kafka", "registry", "seaweedfs", "cassandra", "mariadb"))
