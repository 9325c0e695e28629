"""Stacks for these tests: empty folders, jars shared with the test stack, separate blocks of ports."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

import pytest

from infra.local.stack import Stack
from infra.runtime.settings import PORT_BASES, Settings
from tests.integration.infra.stub_worker import STUB


class MakeStack(Protocol):
    def __call__(self, name: str = "one", **settings: Any) -> Stack: ...


@pytest.fixture
def make_stack(tmp_path: Path) -> Iterator[MakeStack]:
    outer = Settings()
    base = outer.port_base or PORT_BASES[outer.stack]
    made: list[Stack] = []

    def make(name: str = "one", **settings: Any) -> Stack:
        own: dict[str, Any] = {"stack": name, "home": tmp_path, "port_base": base + 200 * (len(made) + 1)}
        stack = Stack(Settings(**(own | settings)), (STUB,))
        made.append(stack)
        return stack

    packages = outer.home / "packages"
    packages.mkdir(parents=True, exist_ok=True)
    (tmp_path / "packages").symlink_to(packages, target_is_directory=True)
    yield make
    for stack in made:
        stack.down()
