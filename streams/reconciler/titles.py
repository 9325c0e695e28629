"""The titles' part of the continuous ledger: their newest records, once a minute."""

import structlog

from domain.clock import Clock
from domain.ledger.titles import TitleLedger
from domain.metrics import LEDGER_TITLES, Metrics

EVERY_MS = 60_000
"""Each check lists the record objects of all titles."""

_log = structlog.get_logger(__name__)


class TitleReconciler:
    def __init__(self, ledger: TitleLedger, metrics: Metrics, overdue_ms: int, now: Clock) -> None:
        """``overdue_ms``: how long the sides of a title may differ before that counts."""
        self._ledger = ledger
        self._metrics = metrics
        self._overdue_ms = overdue_ms
        self._now = now
        self._due = 0
        self._since: dict[str, int] = {}
        """When each title that differs was first seen to differ."""
        self._reported: set[str] = set()

    def run_once(self) -> None:
        """Does nothing until a minute has passed. TransientError while a backend is unreachable."""
        now = self._now()
        if now < self._due:
            return
        differing = self._ledger.differences()
        self._due = now + EVERY_MS
        self._since = {title: self._since.get(title, now) for title in differing}
        overdue = {title for title, since in self._since.items() if now - since >= self._overdue_ms}
        for title in sorted(overdue - self._reported):
            _log.error("title differs", title=title, what=differing[title])
        self._reported = overdue
        self._metrics.set(LEDGER_TITLES, len(overdue))
