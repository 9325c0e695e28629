"""The collector's answers as values. Every error has the same shape: ``code`` for programs, ``message`` for people."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

RETRY_AFTER_SECONDS = 5


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    content: Mapping[str, Any]
    headers: Mapping[str, str] = field(default_factory=dict)


class Refusal(Exception):
    """The request as a whole is refused, with this answer."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.status)
        self.answer = answer


def error(status: int, code: str, message: str, **more: Any) -> Answer:
    return Answer(status, {"code": code, "message": message, **more})


def unavailable(code: str, message: str) -> Answer:
    """Nothing of the request is known to be stored; the same request is welcome again."""
    return Answer(503, {"code": code, "message": message}, {"Retry-After": str(RETRY_AFTER_SECONDS)})
