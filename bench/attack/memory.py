"""How much memory each process of a stack takes, while something happens."""

import asyncio
from contextlib import suppress
from typing import TypeVar

import psutil

from infra.local.stack import Stack

EVERY_S = 0.25
MIB = 2**20
T = TypeVar("T")


async def growth(stack: Stack, happening: "asyncio.Future[T]") -> tuple[T, dict[str, float]]:
    """What it returned, and by process: the MiB that it took at most above what it had before."""
    processes = {name: stack.pid(name) for name in (status.name for status in stack.status() if status.pid)}
    before = {name: resident(pid) for name, pid in processes.items()}
    most = dict(before)
    while not happening.done():
        for name, pid in processes.items():
            most[name] = max(most[name], resident(pid))
        await asyncio.wait((happening,), timeout=EVERY_S)
    return await happening, {name: (most[name] - before[name]) / MIB for name in processes}


def resident(pid: int) -> int:
    """Bytes of a process and its children."""
    total = 0
    with suppress(psutil.NoSuchProcess):
        root = psutil.Process(pid)
        for process in (root, *root.children(recursive=True)):
            with suppress(psutil.NoSuchProcess):
                total += process.memory_info().rss
    return total
