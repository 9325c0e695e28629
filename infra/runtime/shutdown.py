"""Graceful shutdown: handle the first signal, ignore repeats until cleanup is done."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn


def sigterm_as_interrupt(number: int, _frame: FrameType | None) -> NoReturn:
    """Handle SIGTERM like Ctrl-C. Later ones are ignored: make repeats a signal that its group received already."""
    signal.signal(number, _ignore)
    raise KeyboardInterrupt


@contextmanager
def defer_signals() -> Iterator[None]:
    """Ignore SIGINT and SIGTERM in the block, which would leave half a stack running."""
    before = {number: signal.signal(number, _ignore) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _ignore(_number: int, _frame: FrameType | None) -> None:
    """SIG_IGN would be inherited by the programs that we start."""
