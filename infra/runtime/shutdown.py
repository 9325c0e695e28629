"""How a command ends when it is told to: once, and only after what it must put in order."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn


def sigterm_as_interrupt(number: int, _frame: FrameType | None) -> NoReturn:
    """A handler of SIGTERM. Make passes on what its whole group has got already: a second kill is nothing new."""
    signal.signal(number, _ignore)
    raise KeyboardInterrupt


@contextmanager
def defer_signals() -> Iterator[None]:
    """Neither Ctrl-C nor a polite kill interrupts the block: half a stack would stay behind."""
    before = {number: signal.signal(number, _ignore) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _ignore(_number: int, _frame: FrameType | None) -> None:
    """Not SIG_IGN, which the programs that are started would inherit."""
