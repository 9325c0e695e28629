"""Time is an argument: a clock is passed to whatever needs one."""

import time
from collections.abc import Callable

Clock = Callable[[], int]
"""Now, in milliseconds since the epoch."""


def system_clock() -> int:
    return time.time_ns() // 1_000_000
