"""The continuous ledger: compares what the lake has stored since the last run, and keeps checking for losses.

Each partition has a stored state. What was compared is not compared again. What differed is compared again in every
run until it no longer differs.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import islice, takewhile

import structlog

from domain.clock import Clock
from domain.lake.keys import Chain
from domain.lake.reading import LakeObject, parse_metadata
from domain.ledger.compare import BEYOND_THE_LOG, IN_NO_OBJECT, IN_TWO_OBJECTS
from domain.ledger.scrub import Scrub
from domain.ledger.sources import Sources
from domain.ledger.spans import OffsetRange, overlaps, split_by_object
from domain.ledger.state import Finding, ReconciliationState
from domain.metrics import LEDGER_COMPARED, LEDGER_DIFFERENCE, LEDGER_LAST_RUN, RETRIES, Metrics
from schemas.errors import TransientError
from schemas.topics import TOPICS

INTERVAL_S = 5.0
MAX_OBJECTS = 20
"""Objects of one partition that are compared before its state is saved."""

_log = structlog.get_logger(__name__)


class Reconciler:
    def __init__(self, sources: Sources, metrics: Metrics, overdue_ms: int, now: Clock) -> None:
        """``overdue_ms``: how long a partition's next record may wait in Kafka before it counts as a difference."""
        self._sources = sources
        self._metrics = metrics
        self._overdue_ms = overdue_ms
        self._now = now
        self._states: dict[Chain, ReconciliationState] = {}
        self._scrubs: dict[Chain, Scrub] = {}
        self._waiting: dict[Chain, tuple[int, int]] = {}
        """The offset that each partition waits for, and when that wait was first seen."""

    def run_once(self) -> None:
        """Every partition once. TransientError while a backend is unreachable: what was compared before is kept."""
        differences = dict.fromkeys(TOPICS, 0)
        for topic, topic_id, partition, start, end in self._sources.log.spans(TOPICS):
            state = self._check(Chain(topic, topic_id, partition), (start, end))
            differences[topic] += sum(finding.records for finding in state.findings)
        for topic, records in differences.items():
            self._metrics.set(LEDGER_DIFFERENCE, records, family=TOPICS[topic].record)
        self._metrics.set(LEDGER_LAST_RUN, self._now() / 1000)

    def _check(self, chain: Chain, log: OffsetRange) -> ReconciliationState:
        state = self._states.get(chain) or self._sources.states.load(chain)
        known = state.findings
        while state.position < log[1]:  # else the lake can hold nothing new
            some = islice(self._sources.objects(chain, state.newest_object), MAX_OBJECTS)
            objects = [each for each in some if each.end > state.position]
            if any(each.end > log[1] for each in objects):  # newer than what we know of Kafka, or no sink's
                log = self._sources.offsets(chain)
                objects = [each for each in objects if each.end <= log[1]]
            if not objects:
                break
            state = self._compare_new(chain, state, objects, log)
        suspect = {finding.span for finding in state.findings if finding.span[1] <= state.position}
        scrub = self._scrubs.setdefault(chain, Scrub(self._sources.store, chain))
        suspect.update(scrub.next_page(state.position))
        findings = [finding for span in merge_ranges(suspect) for finding in self._compare_again(chain, span, log)]
        findings += self._beyond(chain, [start for start in scrub.ahead if start >= state.position])
        findings += self._overdue(chain, state.position, log[1])
        for finding in set(findings) - set(known):
            _log.error("differs", topic=chain.topic, partition=chain.partition, what=finding.what)
        for finding in set(known) - set(findings):
            _log.info("differs no longer", topic=chain.topic, partition=chain.partition, what=finding.what)
        if tuple(findings) != state.findings:
            state = self._save(chain, replace(state, findings=tuple(findings)))
        self._states[chain] = state
        return state

    def _compare_new(
        self, chain: Chain, state: ReconciliationState, objects: Sequence[LakeObject], log: OffsetRange
    ) -> ReconciliationState:
        """The state after these objects, with their findings. After a crash the next ledger compares those again."""
        for comparison in self._sources.comparer.compare(
            chain, split_by_object((state.position, objects[-1].end), objects), log
        ):
            if comparison.expired:
                _log.warning("expired in Kafka before it was compared", offsets=comparison.expired, topic=chain.topic)
            newest = comparison.lake_object.start if comparison.lake_object else state.newest_object
            state = state.advance(comparison.span[1], newest, comparison.hours())
            state = replace(state, findings=state.findings + comparison.findings)
            self._metrics.increment(LEDGER_COMPARED, comparison.kafka.height, family=TOPICS[chain.topic].record)
        return self._save(chain, state)

    def _compare_again(self, chain: Chain, span: OffsetRange, log: OffsetRange) -> Sequence[Finding]:
        objects = list(takewhile(lambda each: each.start < span[1], self._sources.objects(chain, span[0])))
        parts = list(split_by_object(span, objects))
        lost = [Finding.of(part, part, IN_NO_OBJECT) for part, lake_object in parts if lake_object is None]
        twice = [Finding.of(span, part, IN_TWO_OBJECTS) for part in overlaps(objects)]
        held = self._sources.comparer.compare(chain, [part for part in parts if part[1]], log)
        found = [*lost, *twice, *(finding for each in held for finding in each.findings)]
        return sorted(found, key=lambda one: one.start)

    def _beyond(self, chain: Chain, starts: Sequence[int]) -> Iterator[Finding]:
        """Objects that no sink has put there: Kafka has no such offsets. They move no position."""
        for start in starts:
            try:
                key = chain.key(start)
                end = parse_metadata(key, self._sources.store.head(key)).end
            except KeyError:  # deleted since it was listed
                continue
            if max(start + 1, end) > self._sources.offsets(chain)[1]:
                span = start, max(start + 1, end)
                yield Finding.of(span, span, BEYOND_THE_LOG)

    def _overdue(self, chain: Chain, position: int, end: int) -> Sequence[Finding]:
        """What the lake should have stored by now."""
        waits, since = self._waiting.get(chain, (-1, 0))
        if end <= position or waits != position:
            self._waiting[chain] = (position if end > position else -1), self._now()
            return ()
        if self._now() - since < self._overdue_ms:
            return ()
        rest = position, end
        return [Finding.of(rest, rest, f"in Kafka for over {self._overdue_ms // 1000} s, but not in the lake")]

    def _save(self, chain: Chain, state: ReconciliationState) -> ReconciliationState:
        self._states.pop(chain, None)  # whatever happens to the save: the next run loads what is stored
        if not self._sources.states.save(chain, state):
            raise TransientError(f"another ledger keeps the state of {chain.topic}[{chain.partition}]")
        return state.next_version()


def run_forever(jobs: Sequence[Callable[[], None]], metrics: Metrics, stopped: Callable[[float], bool]) -> None:
    """Run the jobs until ``stopped``, which waits for the given seconds first. An unreachable backend only delays."""
    while True:
        for job in jobs:
            try:
                job()
            except TransientError as error:
                metrics.increment(RETRIES, operation="look")
                _log.warning("waiting", why=str(error))
        if stopped(INTERVAL_S):
            return


def merge_ranges(ranges: Iterable[OffsetRange]) -> list[OffsetRange]:
    """The same offsets without overlaps, in order."""
    merged: list[OffsetRange] = []
    for start, end in sorted(ranges):
        if merged and start < merged[-1][1]:
            merged[-1] = merged[-1][0], max(end, merged[-1][1])
        else:
            merged.append((start, end))
    return merged
