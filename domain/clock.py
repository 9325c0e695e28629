"""Time is an argument: a clock is passed to whatever needs one."""

from collections.abc import Callable

Clock = Callable[[], int]
"""Now, in milliseconds since the epoch."""
