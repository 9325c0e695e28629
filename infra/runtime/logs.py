"""Logs to stderr: one JSON object per line, or coloured text on a terminal.

Code logs through ``structlog.get_logger()``; libraries that use ``logging`` get the same format.
"""

import logging
import sys
from collections import Counter
from typing import TextIO

import structlog

_tracebacks = structlog.processors.ExceptionRenderer(structlog.tracebacks.ExceptionDictTransformer(show_locals=False))
"""As dictionaries, without local variables: a password may be in one."""


class FewAlike(logging.Filter):
    """Lets few of a library's warnings and errors through from one place in its code, and counts the others.

    While Kafka is away, its client logs an error for each partition and attempt, sixty a second.
    """

    MOST, SECONDS = 5, 10.0

    def __init__(self) -> None:
        super().__init__()
        self._since: dict[tuple[str, int], float] = {}
        self._logged: Counter[tuple[str, int]] = Counter()

    def filter(self, record: logging.LogRecord) -> bool:
        if record.levelno < logging.WARNING or not isinstance(record.msg, str):  # ours are dictionaries
            return True
        place = record.pathname, record.lineno
        if record.created - self._since.get(place, 0.0) >= self.SECONDS:
            left_out = self._logged.pop(place, 0) - self.MOST
            self._since[place] = record.created
            if left_out > 0:
                record.msg, record.args = f"{record.getMessage()} (and {left_out} more like it before)", None
        self._logged[place] += 1
        return self._logged[place] <= self.MOST


def configure(worker: str, level: str, stream: TextIO | None = None) -> None:
    """Set up logging for this process, to stderr by default; ``worker``, like ``history-0``, is in every line."""
    out = stream or sys.stderr
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        lambda _logger, _method, event: {"worker": worker, **event},
    ]
    if out.isatty():
        last: list[structlog.typing.Processor] = [
            structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
        ]
    else:
        last = [_tracebacks, structlog.processors.JSONRenderer()]
    handler = logging.StreamHandler(out)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared, processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last]
        )
    )
    handler.addFilter(FewAlike())
    logging.basicConfig(handlers=[handler], level=level, force=True)
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.PositionalArgumentsFormatter(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
