"""What the continuous ledger compares, and where it keeps what it knows."""

from collections.abc import Iterator
from dataclasses import dataclass

from domain.lake.keys import Chain
from domain.lake.ports import ObjectStore
from domain.lake.reading import LakeObject, parse_metadata
from domain.ledger.compare import Auditor, Span
from domain.ledger.ports import Accounts, RecordLog


@dataclass(frozen=True, slots=True)
class Places:
    """Every method raises TransientError while the engine that it asks is away."""

    log: RecordLog
    store: ObjectStore
    accounts: Accounts
    auditor: Auditor

    def objects(self, chain: Chain, start: int) -> Iterator[LakeObject]:
        """Those of the chain, in order, that start there or later."""
        for key in self.store.list(chain.prefix, chain.just_before(start)):
            try:
                yield parse_metadata(key, self.store.head(key))
            except KeyError:  # gone since it was listed
                continue

    def offsets(self, chain: Chain) -> Span:
        """What Kafka has of the partition now."""
        spans = self.log.spans([chain.topic])
        return next((start, end) for _, _, partition, start, end in spans if partition == chain.partition)
