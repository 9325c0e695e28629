"""What the ledger compares, and where it keeps its state."""

from collections.abc import Iterator
from dataclasses import dataclass

from domain.lake.keys import Chain
from domain.lake.reading import LakeObject, read_objects
from domain.ledger.compare import Comparer
from domain.ledger.ports import LedgerStore, RecordLog, StateStore
from domain.ledger.spans import OffsetRange


@dataclass(frozen=True, slots=True)
class Sides:
    """Kafka and the lake. Every method raises TransientError while the backend that it asks is unreachable."""

    log: RecordLog
    store: LedgerStore
    comparer: Comparer

    def objects(self, chain: Chain, start: int) -> Iterator[LakeObject]:
        """The chain's objects that start at ``start`` or later, in order."""
        return read_objects(self.store, chain, start=start)

    def offsets(self, chain: Chain) -> OffsetRange:
        """The offsets that Kafka has of the partition now."""
        spans = self.log.spans([chain.topic])
        return next((start, end) for _, _, partition, start, end in spans if partition == chain.partition)


@dataclass(frozen=True, slots=True)
class Sources(Sides):
    states: StateStore
