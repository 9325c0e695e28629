"""Connects what the ledger compares."""

import multiprocessing
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor

from cassandra.cluster import Session

from domain.lake.keys import Chain
from domain.ledger.chain_snapshot import ChainSnapshot, compare_chain
from domain.ledger.compare import Comparer
from domain.ledger.ports import LedgerStore
from domain.ledger.sources import Sides, Sources
from domain.ledger.titles import TitleLedger
from infra.engines.kafka.reader import TopicReader
from infra.engines.read_ahead import ReadAhead
from infra.engines.registry import Registry
from infra.engines.s3 import ObjectStore
from infra.runtime.settings import Settings
from infra.stores.asset_publisher import RecordObjects
from infra.stores.ledger_cassandra import ReconciliationStates
from schemas.batch import BatchDecoder

PROCESSES = 2
ONE_PROCESS_RECORDS = 200_000
"""Up to this many records, starting processes takes longer than they save."""


def title_ledger(settings: Settings, sides: Sides) -> TitleLedger:
    return TitleLedger(sides, RecordObjects(ObjectStore(settings, settings.media_bucket)))


def ledger_sources(settings: Settings, session: Session, registry: Registry) -> Sources:
    sides = _sides(settings, ObjectStore(settings), registry)
    return Sources(sides.log, sides.store, sides.comparer, ReconciliationStates(session))


def all_sides(settings: Settings) -> Sides:
    """Kafka and the lake for a command that reads whole chains, and judges by what the registry knows now."""
    return _sides(settings, ReadAhead(ObjectStore(settings)), Registry(settings, unknown_after_s=0))


def compare_chains(settings: Settings, sides: Sides, chains: Sequence[Chain]) -> Iterator[ChainSnapshot]:
    """In several processes if it is much, and then the largest first."""
    spans = sides.log.spans({chain.topic for chain in chains})
    sizes = {Chain(topic, topic_id, partition): end - start for topic, topic_id, partition, start, end in spans}
    if sum(sizes.values()) <= ONE_PROCESS_RECORDS:
        yield from (compare_chain(sides, chain) for chain in chains)
        return
    largest_first = sorted(chains, key=lambda chain: -sizes.get(chain, 0))
    with ProcessPoolExecutor(PROCESSES, multiprocessing.get_context("spawn"), _connect, (settings,)) as pool:
        yield from pool.map(_compare, largest_first)


def _sides(settings: Settings, store: LedgerStore, registry: Registry) -> Sides:
    log = TopicReader(settings)
    return Sides(log, store, Comparer(log, store, BatchDecoder(registry.resolve)))


_process_sides: list[Sides] = []
"""Of a process of the pool."""


def _connect(settings: Settings) -> None:
    _process_sides.append(all_sides(settings))


def _compare(chain: Chain) -> ChainSnapshot:
    return compare_chain(_process_sides[0], chain)
