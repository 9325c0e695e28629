"""The test stack: its own backends, separate from any demo, empty at the start of a session, stopped at its end.

Nothing of the shell's or ``.env``'s settings reaches a test, but the folder and the block of ports may be chosen:
``PLAYHEAD_HOME``, and ``PLAYHEAD_STACK`` with ``PLAYHEAD_PORT_BASE`` (``x`` makes the stack ``x-test``).
Where tests run in several processes, each has a stack and a block of ports.
"""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from tests.support.scheduling import ByFile, in_order
from tests.support.soak import SOAK, repeat

# A busy machine is no bug: no test fails for its time.
settings.register_profile(
    "untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=repeat(100, soak=10_000)
)
settings.load_profile("untimed")

UNIT = Path(__file__).parent / "unit"
PORT_BASE, BLOCK = 22_000, 3_000
"""From one process's ports down to the next one's: a demo's lie between."""


def _isolate_settings() -> None:
    chosen = os.environ.get("PLAYHEAD_STACK", "").removesuffix("-test")
    stack = "test" if chosen in ("", "demo", "test") else f"{chosen}-test"
    for name in [name for name in os.environ if name.startswith("PLAYHEAD_")]:
        if name not in ("PLAYHEAD_HOME", "PLAYHEAD_PORT_BASE"):
            del os.environ[name]
    os.environ |= {"PLAYHEAD_STACK": stack, "PLAYHEAD_ENV_FILE": ""}
    if number := _process_number():
        base = int(os.environ.get("PLAYHEAD_PORT_BASE", PORT_BASE)) - number * BLOCK
        os.environ |= {"PLAYHEAD_STACK": f"{stack}-{number}", "PLAYHEAD_PORT_BASE": str(base)}


def _process_number() -> int:
    """From 0; of xdist's processes when there are several."""
    return int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))


_isolate_settings()  # before anything reads them

from infra.local.program import StackError  # noqa: E402
from infra.local.stack import Stack  # noqa: E402
from infra.runtime.settings import Settings  # noqa: E402
from infra.runtime.startup import reduce_gc  # noqa: E402

ENGINES = ("kafka", "registry", "seaweedfs", "cassandra", "mariadb")


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> ByFile:
    return ByFile(config, log)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    for item in items:
        if "empty_stack" in getattr(item, "fixturenames", ()):
            item.add_marker("engines")
        if UNIT in item.path.parents:  # a unit test that leaves something open fails
            for warning in ("ResourceWarning", "pytest.PytestUnraisableExceptionWarning"):
                item.add_marker(pytest.mark.filterwarnings(f"error::{warning}"))
        if item.get_closest_marker("soak_only"):
            item.add_marker("soak")
    items[:] = in_order(items)
    if not SOAK:
        config.hook.pytest_deselected(items=[item for item in items if item.get_closest_marker("soak_only")])
        items[:] = [item for item in items if not item.get_closest_marker("soak_only")]


def pytest_collection_finish() -> None:
    """A sixth of the processor time of the tests without engines."""
    reduce_gc()


def pytest_sessionfinish(session: pytest.Session) -> None:
    """In CI a skipped test is a failure: what it needs should have been installed."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if os.environ.get("CI") and reporter and reporter.stats.get("skipped") and not session.exitstatus:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.fixture(scope="session")
def empty_stack() -> Iterator[Stack]:
    """The test stack, wiped at the start and stopped at the end; for tests that start and stop all of it."""
    stack = Stack(Settings())
    try:
        stack.wipe()
        yield stack
    finally:
        stack.down()


@pytest.fixture(scope="session")
def local_stack(empty_stack: Stack) -> Stack:
    """With its engines up and made ready; for tests that stop, kill or restart something."""
    try:
        empty_stack.up(ENGINES)
    except StackError as error:
        pytest.exit(f"The test stack does not start. {error}", returncode=1)
    return empty_stack


@pytest.fixture(scope="session")
def stack(local_stack: Stack) -> Settings:
    """Settings of the test stack, whose engines are up, with topics, schemas, tables and bucket made."""
    return local_stack.settings


@pytest.fixture
def start_workers(local_stack: Stack) -> Iterator[Callable[..., None]]:
    """Starts and awaits processes of the table by name, and stops them after the test."""
    started: list[str] = []

    def start(*names: str) -> None:
        started.extend(names)
        local_stack.up(names)

    yield start
    local_stack.stop(*started)
