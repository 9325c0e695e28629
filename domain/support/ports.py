"""Ports of the support view. Adapters in ``infra`` and fakes in tests satisfy them structurally."""

from collections.abc import Sequence
from typing import Protocol

from domain.support.updates import MemberError, SessionReport


class ReportSink(Protocol):
    async def save_reports(self, reports: Sequence[SessionReport]) -> None:
        """In any order, any number of times: the newest report of a session wins. Raises TransientError."""
        ...


class ErrorSink(Protocol):
    async def save_errors(self, errors: Sequence[MemberError]) -> None:
        """Any number of times. TransientError when some may not be stored."""
        ...


class SupportReads(Protocol):
    """One member's sessions and errors, newest first. Both methods raise TransientError."""

    async def reports(self, profile_id: str, limit: int) -> Sequence[SessionReport]:
        """Sessions with the same start are ordered by id."""
        ...

    async def errors(self, profile_id: str, limit: int) -> Sequence[MemberError]:
        """Ordered by client time."""
        ...
