"""Start a process: wait for its backends, and turn errors that a person can fix into one line and exit code 1."""

import gc
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NoReturn, TypeVar

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
    """Return the step's result. Retry without end on TransientError; AccessDenied is raised at once.

    A crash would be wrong: the supervisor gives up on a process that keeps dying, and an outage may be long.
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
    """Collect garbage rarely. Call it once everything is imported.

    By default Python searches for cycles after every 700 new objects, and now and then through all of them. A batch
    has thousands of records, which reference counting frees.
    """
    gc.collect()
    gc.freeze()  # imported modules live until the end
    gc.set_threshold(NEW_OBJECTS)


@contextmanager
def exit_with_message(report: Callable[[str], None], *others: type[Exception]) -> Iterator[None]:
    """Report a wrong setting, an unreachable backend, rejected credentials or one of ``others``; then exit with 1."""
    try:
        yield
    except Exception as error:
        lines = _messages(error, others)
        if not lines:
            raise
        for line in lines:
            report(line)
        raise SystemExit(1) from None


def fail(message: str) -> NoReturn:
    """End a command with a message and exit code 1."""
    print_error(message)
    raise typer.Exit(1)


def print_error(line: str) -> None:
    """For commands."""
    typer.secho(line, fg="red", err=True)


def log_error(line: str) -> None:
    """For workers."""
    structlog.get_logger().error("exiting", reason=line)


def _messages(error: BaseException, others: tuple[type[Exception], ...]) -> list[str]:
    match error:
        case BaseExceptionGroup():
            return _messages(error.exceptions[0], others)
        case ValidationError():
            return [_setting_error(fault["loc"], fault["msg"]) for fault in error.errors()]
        case StackError() | AccessDenied():
            return [str(error)]
        case TransientError():
            return [str(error), "`playhead status` shows which processes run."]
        case _:
            return [str(error)] if isinstance(error, others) else []


def _setting_error(location: tuple[int | str, ...], message: str) -> str:
    variable = f"PLAYHEAD_{str(location[0]).upper()}: " if location else ""
    return variable + message.removeprefix("Value error, ")
