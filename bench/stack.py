"""A stack for benchmarks: empty, started, and wiped afterwards. It never touches a demo's data."""

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from infra.local.stack import Stack
from infra.runtime.settings import Settings


@contextmanager
def bench_stack(names: Iterable[str] | None = None) -> Iterator[Settings]:
    """``names``: only these processes; all by default."""
    os.environ["PLAYHEAD_STACK"] = "bench"  # also for the processes that a bench starts
    os.environ["PLAYHEAD_CASSANDRA_JAVA_OPTIONS"] = ""  # as a server runs it
    stack = Stack(Settings())
    stack.wipe()
    try:
        stack.up(names)
        yield stack.settings
    finally:
        stack.wipe()
