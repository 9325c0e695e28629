"""How a process starts, and ends when it can't: what a person can mend is told in one line, not as a stack trace."""

import gc
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import structlog
import typer
from pydantic import ValidationError
from tenacity import Retrying, before_sleep_log, retry_if_exception, wait_random_exponential

from infra.local.program import StackError
from schemas.errors import AccessDenied, TransientError

LONGEST_WAIT_S = 5.0
NEW_OBJECTS = 20_000
T = TypeVar("T")


def wait_until_available(step: Callable[[], T]) -> T:
    """The step's outcome, tried as long as an engine is away. AccessDenied comes out at once.

    Not crash: the supervisor gives up on a process that keeps dying, and an engine may be away for long.
    """
    log = logging.getLogger(__name__)
    return Retrying(
        retry=retry_if_exception(
            lambda error: isinstance(error, TransientError) and not isinstance(error, AccessDenied)
        ),
        wait=wait_random_exponential(max=LONGEST_WAIT_S),
        before_sleep=before_sleep_log(log, logging.WARNING),
    )(step)


def reduce_gc() -> None:
    """For a process that works on many objects at a time, once all is imported: garbage collection costs less.

    Every 700 new objects Python looks through the youngest ones for cycles, and now and then through all that live. A
    batch has thousands of records, and they die by reference counts.
    """
    gc.collect()
    gc.freeze()  # what was imported stays until the end
    gc.set_threshold(NEW_OBJECTS)


@contextmanager
def exit_with_message(tell: Callable[[str], None], *others: type[Exception]) -> Iterator[None]:
    """A wrong setting, an engine that is away or does not let us in, one of these others: tell it and exit 1."""
    try:
        yield
    except Exception as error:
        lines = _lines(error, others)
        if not lines:
            raise
        for line in lines:
            tell(line)
        raise SystemExit(1) from None


def print_error(line: str) -> None:
    """For commands."""
    typer.secho(line, fg="red", err=True)


def log_error(line: str) -> None:
    """For workers."""
    structlog.get_logger().error("can't go on", reason=line)


def _lines(error: BaseException, others: tuple[type[Exception], ...]) -> list[str]:
    match error:
        case BaseExceptionGroup():
            return _lines(error.exceptions[0], others)
        case ValidationError():
            return [_setting_fault(fault["loc"], fault["msg"]) for fault in error.errors()]
        case StackError() | AccessDenied():
            return [str(error)]
        case TransientError():
            return [str(error), "`playhead status` tells what runs."]
        case _:
            return [str(error)] if isinstance(error, others) else []


def _setting_fault(location: tuple[int | str, ...], message: str) -> str:
    variable = f"PLAYHEAD_{str(location[0]).upper()}: " if location else ""
    return variable + message.removeprefix("Value error, ")
