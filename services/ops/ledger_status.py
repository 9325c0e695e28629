"""What the ledger compared and found, summed up for the live page."""

from collections.abc import Mapping

from domain.ledger.state import Account
from services.ops.document import Ledger, LedgerTopic
from services.ops.ports import Partition

FINDINGS_SHOWN = 5


def ledger_status(
    accounts: Mapping[Partition, Account], starts: Mapping[Partition, int], ends: Mapping[Partition, int], hour: int
) -> Ledger:
    """Of the same partitions, each by topic. ``hour``: the present one, since the epoch."""
    topics = [
        _topic(topic, {each: account for each, account in accounts.items() if each[0] == topic}, starts, ends)
        for topic in dict.fromkeys(topic for topic, _ in sorted(accounts))
    ]
    findings = [
        f"{topic}[{number}]: {finding.what}"
        for (topic, number), account in sorted(accounts.items())
        for finding in account.findings
    ]
    return Ledger(topics, _received(accounts, hour), _received(accounts, hour - 1), findings[:FINDINGS_SHOWN])


def _topic(
    topic: str, accounts: Mapping[Partition, Account], starts: Mapping[Partition, int], ends: Mapping[Partition, int]
) -> LedgerTopic:
    kafka = waiting = 0
    for partition, account in accounts.items():
        end = max(ends[partition], account.position)  # the ledger may have read Kafka later
        kafka += end
        waiting += end - max(account.position, starts[partition])
    return LedgerTopic(
        topic, kafka, waiting, sum(finding.records for account in accounts.values() for finding in account.findings)
    )


def _received(accounts: Mapping[Partition, Account], hour: int) -> int:
    found = [account.hours[hour] for account in accounts.values() if hour in account.hours]
    return sum(counts.records + counts.dead_letters for counts in found)
