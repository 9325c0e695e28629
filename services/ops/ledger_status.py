"""What the ledger compared and found, summed up for the live page."""

from collections.abc import Mapping

from domain.ledger.state import ReconciliationState
from schemas.topics import Partition
from services.ops.document import Ledger, LedgerTopic

FINDINGS_SHOWN = 5


def ledger_status(
    states: Mapping[Partition, ReconciliationState],
    starts: Mapping[Partition, int],
    ends: Mapping[Partition, int],
    hour: int,
) -> Ledger:
    """Of the same partitions, each by topic. ``hour``: the present one, since the epoch."""
    topics = [
        _topic(topic, {each: state for each, state in states.items() if each[0] == topic}, starts, ends)
        for topic in dict.fromkeys(topic for topic, _ in sorted(states))
    ]
    findings = [
        f"{topic}[{number}]: {finding.what}"
        for (topic, number), state in sorted(states.items())
        for finding in state.findings
    ]
    return Ledger(topics, _received(states, hour), _received(states, hour - 1), findings[:FINDINGS_SHOWN])


def _topic(
    topic: str,
    states: Mapping[Partition, ReconciliationState],
    starts: Mapping[Partition, int],
    ends: Mapping[Partition, int],
) -> LedgerTopic:
    kafka = waiting = 0
    for partition, state in states.items():
        end = max(ends[partition], state.position)  # the ledger may have read Kafka later
        kafka += end
        waiting += end - max(state.position, starts[partition])
    return LedgerTopic(
        topic, kafka, waiting, sum(finding.records for state in states.values() for finding in state.findings)
    )


def _received(states: Mapping[Partition, ReconciliationState], hour: int) -> int:
    found = [state.hours[hour] for state in states.values() if hour in state.hours]
    return sum(counts.records + counts.dead_letters for counts in found)
