"""The continuous ledger's accounts of all partitions, as the live page shows them."""

from collections.abc import Mapping

from domain.ledger.state import ReconciliationState
from services.ops.document import Compared
from services.ports import Partition

FINDINGS_SHOWN = 5


def compared(accounts: Mapping[Partition, ReconciliationState], hour: int) -> Compared:
    """``hour``: the present one, since the epoch."""
    differing: dict[str, int] = {}
    findings: list[str] = []
    for (topic, number), account in sorted(accounts.items()):
        for finding in account.findings:
            differing[topic] = differing.get(topic, 0) + finding.records
            findings.append(f"{topic}[{number}]: {finding.what}")
    return Compared(_received(accounts, hour), _received(accounts, hour - 1), differing, findings[:FINDINGS_SHOWN])


def _received(accounts: Mapping[Partition, ReconciliationState], hour: int) -> int:
    found = [account.hours[hour] for account in accounts.values() if hour in account.hours]
    return sum(counts.records + counts.dead_letters for counts in found)
