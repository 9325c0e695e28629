"""Replies as values. Every error has the same shape: ``code`` for programs, ``message`` for people."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

RETRY_AFTER_SECONDS = 5


@dataclass(frozen=True, slots=True)
class Reply:
    status: int
    content: Mapping[str, Any]
    headers: Mapping[str, str] = field(default_factory=dict)


class RequestError(Exception):
    """The whole request is refused with this reply."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(reply.status)
        self.reply = reply


def error_reply(status: int, code: str, message: str, **more: Any) -> Reply:
    return Reply(status, {"code": code, "message": message, **more})


def unavailable(code: str, message: str) -> Reply:
    """Nothing of the request is known to be stored. The client sends the same request again."""
    return Reply(503, {"code": code, "message": message}, {"Retry-After": str(RETRY_AFTER_SECONDS)})
