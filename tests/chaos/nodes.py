"""Nodes of a local Cassandra ring that die, hang and come back."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import cycle

from infra.local import cassandra_cluster
from infra.local.program import StackError
from infra.local.stack import Stack
from tests.support.pipeline import eventually


def kill(stack: Stack, node: str) -> int:
    """SIGKILL; the supervisor starts it again. Returns the pid it had."""
    pid = stack.pid(node)
    os.kill(pid, signal.SIGKILL)
    return pid


def await_return(stack: Stack, node: str, pid: int) -> None:
    """Until another process runs in its place, and all nodes see each other."""
    eventually(lambda: _pid(stack, node) not in (None, pid))
    cassandra_cluster.wait_for_peers(stack.settings)


def _pid(stack: Stack, node: str) -> int | None:
    try:
        return stack.pid(node)
    except StackError:
        return None


@asynccontextmanager
async def going_on(stack: Stack, node: str) -> AsyncIterator[int]:
    """The pid of a node that may be stopped (SIGSTOP) within the block; afterwards it goes on."""
    pid = stack.pid(node)
    try:
        yield pid
    finally:
        os.kill(pid, signal.SIGCONT)
    await asyncio.to_thread(cassandra_cluster.wait_for_peers, stack.settings)


@dataclass
class Dying:
    """One node after the other is killed; the next one when all see each other again."""

    stack: Stack
    nodes: list[str]
    away: bool = False
    deaths: int = 0

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Ends with all nodes up."""
        async with asyncio.TaskGroup() as tasks:
            over = asyncio.Event()
            tasks.create_task(self._kill(over))
            yield
            over.set()

    async def _kill(self, over: asyncio.Event) -> None:
        for node in cycle(self.nodes):
            pid = kill(self.stack, node)
            self.away = True
            self.deaths += 1
            await asyncio.to_thread(await_return, self.stack, node, pid)
            self.away = False
            if over.is_set():
                return
