"""The part of the continuous ledger that counts on: records that outboxes have skipped, every half minute."""

import structlog

from domain.clock import Clock
from domain.ledger.succession import SuccessionLedger, text
from domain.metrics import LEDGER_MISSING_SEQS, Metrics
from schemas.topics import CHANGE_TOPICS

EVERY_MS = 30_000

_log = structlog.get_logger(__name__)


class SuccessionReconciler:
    def __init__(self, ledger: SuccessionLedger, metrics: Metrics, now: Clock) -> None:
        self._ledger = ledger
        self._metrics = metrics
        self._now = now
        self._due = 0
        self._reported: set[str] = set()

    def run_once(self) -> None:
        """Does nothing until half a minute has passed. TransientError while Kafka is away."""
        now = self._now()
        if now < self._due:
            return
        missing = self._ledger.missing()
        self._due = now + EVERY_MS
        found: set[str] = set()
        for name, keys in missing.items():
            found |= {f"{CHANGE_TOPICS[name].name}: {text(key, gap)}" for key, gaps in keys.items() for gap in gaps}
            records = sum(len(gap) for gaps in keys.values() for gap in gaps)
            self._metrics.set(LEDGER_MISSING_SEQS, records, topic=CHANGE_TOPICS[name].name)
        for what in sorted(found - self._reported):
            _log.error("skipped", what=what)
        self._reported = found
