"""A small world for the continuous ledger: Kafka as lists, a lake that takes from it, accounts, metrics, a clock."""

from collections.abc import Iterable, Iterator

from domain.lake import objects
from domain.lake.batching import Span
from domain.lake.keys import Chain
from domain.lake.objects import Batch, Sealed
from domain.ledger.compare import Auditor
from domain.ledger.sources import Places
from domain.metrics import LEDGER_DIFFERENCE
from schemas import avro
from schemas.batch import BatchDecoder
from schemas.codec import encode
from schemas.framing import frame
from schemas.topics import DEAD_LETTERS, EVENT_TOPICS
from streams.reconciler.reconciler import Watch
from tests.support.builders import dead_letter, playback
from tests.support.fake_kafka import FakeRecord
from tests.support.fake_metrics import FakeMetrics
from tests.support.fakes import FakeLedgerAccounts, FakeObjectStore

PLAYBACK = Chain(EVENT_TOPICS["playback"].name, "playback-id", 0)
LETTERS = Chain(DEAD_LETTERS.name, "letters-id", 0)
EVENT = "018bcfe5-6800-7000-8000-0000000{:05x}"
SCHEMAS = {1: "playback", 2: "dead_letter"}
HOUR = 472_222
"""In which the builders' events are received."""


class FakeRecordLog:
    """Satisfies ``domain.ledger.ports.RecordLog``."""

    def __init__(self) -> None:
        self.logs: dict[Chain, list[FakeRecord]] = {PLAYBACK: [], LETTERS: []}
        self.starts = {PLAYBACK: 0, LETTERS: 0}
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

    def read(self, topic: str, partition: int, start: int, end: int) -> Iterator[list[tuple[int, bytes | None]]]:
        for batch in self.records(topic, partition, start, end):
            yield [(offset, value) for offset, value, _ in batch]

    def records(
        self, topic: str, partition: int, start: int, end: int
    ) -> Iterator[list[tuple[int, bytes | None, int]]]:
        [chain] = [chain for chain in self.logs if (chain.topic, chain.partition) == (topic, partition)]
        assert self.starts[chain] <= start
        assert end <= len(self.logs[chain])
        self.read_records += end - start
        yield [(r.offset(), r.value(), r.timestamp()[1]) for r in self.logs[chain][start:end]]

    def since(self, topic: str, appended_ms: int) -> list[tuple[int, int, int]]:
        return [
            (chain.partition, next((r.at for r in log if r.appended >= appended_ms), len(log)), len(log))
            for chain, log in self.logs.items()
            if chain.topic == topic
        ]


class World:
    def __init__(self) -> None:
        self.log, self.store, self.accounts = FakeRecordLog(), FakeObjectStore(), FakeLedgerAccounts()
        self.metrics = FakeMetrics()
        self.decoder = BatchDecoder(_resolve)
        self.now = 0

    @property
    def places(self) -> Places:
        return Places(self.log, self.store, self.accounts, Auditor(self.log, self.store, self.decoder))

    def watch(self) -> Watch:
        """One that was just started."""
        return Watch(self.places, self.metrics, patience_ms=60_000, now=lambda: self.now)

    def play(self, *numbers: int, **changes: object) -> None:
        """Playback events with these event ids into Kafka."""
        self.log.append(PLAYBACK, *(event(number, **changes) for number in numbers))

    def spoil(self, offset: int) -> None:
        """Something invalid into Kafka, where it gets this offset, and its dead letter."""
        self.log.append(PLAYBACK, b"junk")
        letter = dead_letter(topic=PLAYBACK.topic, topic_id=PLAYBACK.topic_id, partition=0, offset=offset)
        self.log.append(LETTERS, frame(2, encode(letter)))

    def take(self, start: int, end: int, chain: Chain = PLAYBACK) -> str:
        """These records of Kafka into the lake, as one object; its key."""
        sealed = self.seal(start, self.log.logs[chain][start:end], chain)
        assert self.store.put_if_absent(sealed.key, sealed.body, sealed.metadata)
        return sealed.key

    def seal(self, start: int, records: list[FakeRecord], chain: Chain = PLAYBACK) -> Sealed:
        name = "playback" if chain == PLAYBACK else "dead_letter"
        verdicts = self.decoder.decode(name, [record.payload for record in records])
        batch = Batch(records, verdicts.schema_ids, {one.index for one in verdicts.invalid})
        schema_id = next((each for each in verdicts.schema_ids if each is not None), None)
        return objects.seal(chain, start, batch, Span(0, len(records), schema_id), (_resolve, avro.schema(name)))

    def difference(self) -> int:
        return int(self.metrics.gauges[LEDGER_DIFFERENCE]["playback",])

    def found(self) -> list[str]:
        return [finding.what for finding in self.accounts.load(PLAYBACK).findings]


def event(number: int, **changes: object) -> bytes:
    return frame(1, encode(playback(event_id=EVENT.format(number), seq=number, **changes)))


def _resolve(schema_id: int) -> avro.Schema:
    return avro.schema(SCHEMAS[schema_id])
