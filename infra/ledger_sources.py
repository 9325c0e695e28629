"""Connects what the ledger compares."""

from cassandra.cluster import Session

from domain.ledger.compare import Comparer
from domain.ledger.sources import Sources
from infra.engines.kafka.reader import TopicReader
from infra.engines.registry import Registry
from infra.engines.s3 import ObjectStore
from infra.runtime.settings import Settings
from infra.stores.ledger_cassandra import ReconciliationStates
from schemas.batch import BatchDecoder


def ledger_sources(settings: Settings, session: Session, registry: Registry) -> Sources:
    log, store = TopicReader(settings), ObjectStore(settings)
    return Sources(log, store, ReconciliationStates(session), Comparer(log, store, BatchDecoder(registry.resolve)))
