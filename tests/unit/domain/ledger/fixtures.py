"""Fixtures for the ledger: Kafka as lists, a lake filled from it, states, metrics, a clock."""

from collections.abc import Iterable, Iterator

from domain.lake import objects
from domain.lake.batching import Slice
from domain.lake.keys import Chain
from domain.lake.objects import Batch, LakeFile
from domain.ledger.compare import Comparer
from domain.ledger.sources import Sources
from domain.metrics import LEDGER_DIFFERENCE
from schemas import avro
from schemas.batch import BatchDecoder
from schemas.codec import encode
from schemas.framing import frame
from schemas.topics import ASSETS, CHANGE_TOPICS, DEAD_LETTERS, EVENT_TOPICS, TOPICS
from streams.reconciler.reconciler import Reconciler
from tests.support.builders import dead_letter, playback
from tests.support.fake_kafka import FakeRecord
from tests.support.fake_metrics import FakeMetrics
from tests.support.fakes import FakeLedgerStore, FakeObjectStore

PLAYBACK = Chain(EVENT_TOPICS["playback"].name, "playback-id", 0)
DEAD_LETTER_CHAIN = Chain(DEAD_LETTERS.name, "dead-letters-id", 0)
ASSET_CHAIN = Chain(ASSETS.name, "assets-id", 0)
ACCOUNT_CHAIN = Chain(CHANGE_TOPICS["accounts"].name, "accounts-id", 0)
EVENT = "018bcfe5-6800-7000-8000-0000000{:05x}"
SCHEMAS = {1: "playback", 2: "dead_letter", 3: "asset", 4: "account_record"}
HOUR = 472_222
"""In which the builders' events are received."""


class FakeRecordLog:
    """Satisfies ``domain.ledger.ports.RecordLog``."""

    def __init__(self) -> None:
        self.logs: dict[Chain, list[FakeRecord]] = {
            chain: [] for chain in (PLAYBACK, DEAD_LETTER_CHAIN, ASSET_CHAIN, ACCOUNT_CHAIN)
        }
        self.starts = dict.fromkeys(self.logs, 0)
        self.removed: set[tuple[Chain, int]] = set()
        self.read_records = 0

    def append(self, chain: Chain, *payloads: bytes, at: int = 0) -> None:
        log = self.logs[chain]
        log += [FakeRecord(len(log) + i, payload, at) for i, payload in enumerate(payloads)]

    def spans(self, topics: Iterable[str]) -> list[tuple[str, str, int, int, int]]:
        wanted = set(topics)
        return [
            (chain.topic, chain.topic_id, chain.partition, self.starts[chain], len(log))
            for chain, log in self.logs.items()
            if chain.topic in wanted
        ]

    def records(
        self, topic: str, partition: int, start: int, end: int
    ) -> Iterator[list[tuple[int, bytes | None, int]]]:
        [chain] = [chain for chain in self.logs if (chain.topic, chain.partition) == (topic, partition)]
        assert self.starts[chain] <= start
        assert end <= len(self.logs[chain])
        self.read_records += end - start
        yield [
            (r.offset(), r.value(), r.timestamp()[1])
            for r in self.logs[chain][start:end]
            if (chain, r.offset()) not in self.removed
        ]

    def since(self, topic: str, appended_ms: int) -> list[tuple[int, int, int]]:
        return [
            (chain.partition, next((r.at for r in log if r.appended >= appended_ms), len(log)), len(log))
            for chain, log in self.logs.items()
            if chain.topic == topic
        ]


class LedgerFixture:
    def __init__(self) -> None:
        self.log, self.store, self.states = FakeRecordLog(), FakeObjectStore(), FakeLedgerStore()
        self.metrics = FakeMetrics()
        self.decoder = BatchDecoder(_resolve)
        self.now = 0

    @property
    def sources(self) -> Sources:
        return Sources(self.log, self.store, self.comparer, self.states)

    @property
    def comparer(self) -> Comparer:
        return Comparer(self.log, self.store, self.decoder, lambda: self.now)

    def reconciler(self) -> Reconciler:
        """A new one, just started."""
        return Reconciler(self.sources, self.metrics, overdue_ms=60_000, now=lambda: self.now)

    def play(self, *numbers: int, **changes: object) -> None:
        """Playback events with these event ids into Kafka."""
        self.log.append(PLAYBACK, *(event(number, **changes) for number in numbers))

    def spoil(self, offset: int) -> None:
        """Something invalid into Kafka, where it gets this offset, and its dead letter."""
        self.log.append(PLAYBACK, b"junk")
        named = dead_letter(topic=PLAYBACK.topic, topic_id=PLAYBACK.topic_id, partition=0, offset=offset)
        self.log.append(DEAD_LETTER_CHAIN, frame(2, encode(named)))

    def take(self, start: int, end: int, chain: Chain = PLAYBACK) -> str:
        """These records of Kafka into the lake, as one object; its key."""
        file = self.file(start, self.log.logs[chain][start:end], chain)
        assert self.store.put_if_absent(file.key, file.body, file.metadata)
        return file.key

    def file(self, start: int, records: list[FakeRecord], chain: Chain = PLAYBACK) -> LakeFile:
        name = TOPICS[chain.topic].record
        verdicts = self.decoder.decode(name, [record.payload for record in records])
        batch = Batch(records, verdicts.schema_ids, {one.index for one in verdicts.invalid})
        schema_id = next((each for each in verdicts.schema_ids if each is not None), None)
        return objects.build_file(chain, start, batch, Slice(0, len(records), schema_id), (_resolve, avro.schema(name)))

    def difference(self) -> int:
        return int(self.metrics.gauges[LEDGER_DIFFERENCE]["playback",])

    def found(self) -> list[str]:
        return [finding.what for finding in self.states.load(PLAYBACK).findings]


def event(number: int, **changes: object) -> bytes:
    return frame(1, encode(playback(event_id=EVENT.format(number), seq=number, **changes)))


def _resolve(schema_id: int) -> avro.Schema:
    return avro.schema(SCHEMAS[schema_id])
