"""Retries an operation in place while a backend is unavailable."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

import structlog
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type, wait_random_exponential

from schemas.errors import TransientError

FIRST_WAIT_S = 0.2
LONGEST_WAIT_S = 5.0
T = TypeVar("T")
log = structlog.get_logger(__name__)


async def retry_transient(
    operation: Callable[[], Awaitable[T]], give_up: Callable[[], bool], on_retry: Callable[[], None]
) -> T:
    """Repeat after each TransientError, with growing, jittered waits. ``on_retry`` is called before each repeat.

    Once ``give_up()`` is true the last TransientError comes out.
    """

    def before_wait(state: RetryCallState) -> None:
        on_retry()
        log.warning("retrying", attempt=state.attempt_number, reason=str(state.outcome and state.outcome.exception()))

    async def once() -> T:  # tenacity awaits only what is declared async: not a lambda that returns a coroutine
        return await operation()

    return await AsyncRetrying(
        retry=retry_if_exception_type(TransientError),
        wait=wait_random_exponential(multiplier=FIRST_WAIT_S, max=LONGEST_WAIT_S),
        stop=lambda _state: give_up(),
        before_sleep=before_wait,
        reraise=True,
    )(once)
