"""Connects the sources of the hourly ledger."""

from cassandra.cluster import Session

from domain.ledger.compare import Auditor
from domain.ledger.sources import Places
from infra.engines.kafka.reader import TopicReader
from infra.engines.registry import Registry
from infra.engines.s3 import ObjectStore
from infra.runtime.settings import Settings
from infra.stores.ledger_cassandra import LedgerAccounts
from schemas.batch import BatchDecoder


def ledger_places(settings: Settings, session: Session) -> Places:
    log, store = TopicReader(settings), ObjectStore(settings)
    return Places(log, store, LedgerAccounts(session), Auditor(log, store, BatchDecoder(Registry(settings).resolve)))
