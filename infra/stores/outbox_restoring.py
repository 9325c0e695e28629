"""Raises the counters of a restored schema above what Kafka and the lake have, and lists what the dump lacks.

The lake has what Kafka kept for a shorter time than the dump is old.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from itertools import islice
from typing import NamedTuple, cast

from sqlalchemy import Column, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.lake.keys import ROOT
from domain.ledger.whole_topic import WholeTopic
from domain.outbox.restoring import Restoring
from infra.engines.kafka.reader import TopicReader
from infra.engines.mariadb import Database
from infra.engines.read_ahead import ReadAhead
from infra.engines.registry import Registry
from infra.engines.s3 import ObjectStore
from infra.runtime.settings import Settings
from schemas.errors import InvalidEvent
from schemas.events import CountedRecord
from schemas.topics import Topic

AT_ONCE = 500
"""Counters that one transaction raises."""


class Counter(NamedTuple):
    """Columns of the aggregate's own row."""

    key: Column[str]
    seq: Column[int]


def check(settings: Settings, topics: Iterable[Topic]) -> None:
    """TransientError unless Kafka, the registry and the lake answer now: ask before there is nothing to go back to."""
    Registry(settings).ping()
    next(ObjectStore(settings).list(ROOT), None)
    TopicReader(settings).spans([topic.name for topic in topics])


async def raise_counters(
    settings: Settings, database: Database, counters: Mapping[Topic, Counter]
) -> Sequence[CountedRecord]:
    """Returns the records that Kafka or the lake has and the database lacks, by topic, key and seq. Run it before the
    database serves; a second run finds counters that need no raise. TransientError while a backend is away.
    """
    found: list[CountedRecord] = []
    for topic, counter in counters.items():
        restoring = Restoring(topic.name, await database.transact(partial(_counters, counter)))
        for record in _records(settings, topic):
            restoring.take(getattr(record, topic.key), record)
        rest = iter(restoring.raised.items())
        while some := list(islice(rest, AT_ONCE)):
            await database.transact(partial(_raise, counter, some))
        found += [record for _, record in sorted(restoring.lacking.items())]
    return found


def _records(settings: Settings, topic: Topic) -> Iterator[CountedRecord]:
    registry, whole = Registry(settings), WholeTopic(TopicReader(settings), ReadAhead(ObjectStore(settings)))
    for payloads in whole.payloads(topic.name):
        for payload in payloads:
            try:
                yield cast(CountedRecord, registry.decode(topic.record, payload))
            except InvalidEvent:  # nobody's outbox wrote it; the lake sink makes its dead letter
                continue


async def _counters(counter: Counter, connection: AsyncConnection) -> dict[str, int]:
    return dict((await connection.execute(select(counter.key, counter.seq))).tuples().all())


async def _raise(counter: Counter, some: Sequence[tuple[str, int]], connection: AsyncConnection) -> None:
    for key, seq in some:
        lower = (counter.key == key) & (counter.seq < seq)
        await connection.execute(update(counter.key.table).where(lower).values({counter.seq: seq}))
