"""The ledger as a service: compares what the lake has taken since the last look, and goes on looking for what is lost.

Each partition has an account. What is compared is not compared again, unless it differed: then until it no longer does.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from itertools import islice

import structlog

from domain.clock import Clock
from domain.lake.keys import Chain
from domain.lake.reading import LakeObject
from domain.ledger.compare import IN_NO_OBJECT, Audit, Span, found, pieces
from domain.ledger.scrub import Scrub
from domain.ledger.sources import Places
from domain.ledger.state import Account, Finding
from domain.metrics import LEDGER_COMPARED, LEDGER_DIFFERENCE, LEDGER_LAST_RUN, RETRIES, Metrics
from schemas.errors import TransientError
from schemas.topics import TOPICS

INTERVAL_S = 5.0
AT_ONCE = 20
"""Objects of one partition that are compared before its account is saved."""

_log = structlog.get_logger(__name__)


class Watch:
    def __init__(self, places: Places, metrics: Metrics, patience_ms: int, now: Clock) -> None:
        """``patience_ms``: for so long a partition's next record may wait in Kafka before that is a difference."""
        self._places = places
        self._metrics = metrics
        self._patience_ms = patience_ms
        self._now = now
        self._accounts: dict[Chain, Account] = {}
        self._scrubs: dict[Chain, Scrub] = {}
        self._waiting: dict[Chain, tuple[int, int]] = {}
        """The record that each partition waits for, and since when it was seen to wait."""

    def look(self) -> None:
        """Every partition once. TransientError while an engine is away: what was compared until then is kept."""
        differences = dict.fromkeys(TOPICS, 0)
        for topic, topic_id, partition, start, end in self._places.log.spans(TOPICS):
            account = self._look(Chain(topic, topic_id, partition), (start, end))
            differences[topic] += sum(finding.records for finding in account.findings)
        for topic, records in differences.items():
            self._metrics.set(LEDGER_DIFFERENCE, records, family=TOPICS[topic].record)
        self._metrics.set(LEDGER_LAST_RUN, self._now() / 1000)

    def _look(self, chain: Chain, log: Span) -> Account:
        account = self._accounts.get(chain) or self._places.accounts.load(chain)
        known = account.findings
        while account.position < log[1]:  # else the lake can hold nothing new
            some = islice(self._places.objects(chain, account.newest_object), AT_ONCE)
            objects = [each for each in some if each.end > account.position]
            if not objects:
                break
            account = self._go_on(chain, account, objects, log)
        suspect = {finding.span for finding in account.findings if finding.span[1] <= account.position}
        scrub = self._scrubs.setdefault(chain, Scrub(self._places.store, chain))
        suspect.update(scrub.look(account.position))
        findings = [finding for span in merged(suspect) for finding in self._again(chain, span, log)]
        findings += self._late(chain, account.position, log[1])
        for finding in set(findings) - set(known):
            _log.error("differs", topic=chain.topic, partition=chain.partition, what=finding.what)
        if tuple(findings) != account.findings:
            account = self._save(chain, replace(account, findings=tuple(findings)))
        self._accounts[chain] = account
        return account

    def _go_on(self, chain: Chain, account: Account, objects: Sequence[LakeObject], log: Span) -> Account:
        """The account after these objects, with what differs in them: whoever goes on from it looks there again."""
        for span, of in pieces((account.position, objects[-1].end), objects):
            audit = self._audit(chain, span, of, log)
            if audit.expired:
                _log.warning("left Kafka before the ledger came", offsets=audit.expired, topic=chain.topic)
            account = account.passed(span[1], account.newest_object if of is None else of.start, audit.hours())
            account = replace(account, findings=account.findings + audit.findings)
            self._metrics.increment(LEDGER_COMPARED, audit.kafka.height, family=TOPICS[chain.topic].record)
        return self._save(chain, account)

    def _again(self, chain: Chain, span: Span, log: Span) -> Sequence[Finding]:
        findings: list[Finding] = []
        for piece, of in pieces(span, self._places.objects(chain, span[0])):
            if of is None:
                findings.append(found(piece, piece, IN_NO_OBJECT))
            else:
                findings += self._audit(chain, piece, of, log).findings
        return findings

    def _audit(self, chain: Chain, span: Span, of: LakeObject | None, log: Span) -> Audit:
        if span[1] > log[1]:  # the object may be younger than what we know of Kafka
            log = self._places.offsets(chain)
        return self._places.auditor.audit(chain, span, of, log)

    def _late(self, chain: Chain, position: int, end: int) -> Sequence[Finding]:
        """What the lake should have taken by now."""
        waits, since = self._waiting.get(chain, (-1, 0))
        if end <= position or waits != position:
            self._waiting[chain] = (position if end > position else -1), self._now()
            return ()
        if self._now() - since < self._patience_ms:
            return ()
        rest = position, end
        return [found(rest, rest, f"in Kafka for over {self._patience_ms // 1000} s, but not in the lake")]

    def _save(self, chain: Chain, account: Account) -> Account:
        self._accounts.pop(chain, None)  # whatever happens to the save: the next look loads what is stored
        if not self._places.accounts.save(chain, account):
            raise TransientError(f"another ledger keeps the account of {chain.topic}[{chain.partition}]")
        return account.followed()


def look_again_and_again(
    looks: Sequence[Callable[[], None]], metrics: Metrics, stopped: Callable[[float], bool]
) -> None:
    """Until ``stopped``, which waits for so many seconds first. An engine that is away only delays."""
    while True:
        for look in looks:
            try:
                look()
            except TransientError as error:
                metrics.increment(RETRIES, operation="look")
                _log.warning("waiting", why=str(error))
        if stopped(INTERVAL_S):
            return


def merged(spans: Iterable[Span]) -> list[Span]:
    """The same offsets without an overlap, in order."""
    result: list[Span] = []
    for start, end in sorted(spans):
        if result and start < result[-1][1]:
            result[-1] = result[-1][0], max(end, result[-1][1])
        else:
            result.append((start, end))
    return result
