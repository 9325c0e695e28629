"""A lake in a folder, as the lake sink makes it: what Spark reads, and a store that lists it with its metadata."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from domain.lake import objects
from domain.lake.keys import Chain
from domain.lake.objects import LakeFile
from schemas.avro import Schema, schema
from schemas.codec import encode
from schemas.events import Record, record_name
from schemas.topics import TOPICS
from tests.support.fakes import FakeObjectStore

TOPIC_NAMES = {topic.record: topic.name for topic in TOPICS.values()}


@dataclass
class RawLake:
    folder: Path
    store: FakeObjectStore = field(default_factory=FakeObjectStore)
    ends: dict[Chain, int] = field(default_factory=dict)

    @property
    def root(self) -> str:
        return f"file:{self.folder}"

    def put(self, *events: Record, partition: int = 0, topic_id: str = "AAA") -> str:
        """One more object of a chain, of records of one kind."""
        record = record_name(events[0])
        return self.put_datums(record, [encode(each) for each in events], schema(record), partition, topic_id)

    def put_datums(
        self, record: str, datums: Sequence[bytes], written_by: Schema, partition: int = 0, topic_id: str = "AAA"
    ) -> str:
        chain = Chain(TOPIC_NAMES[record], topic_id, partition)
        return self._put(objects.pack(chain, self.ends.get(chain, 0), written_by, datums, hash(str(written_by))), chain)

    def put_gap(self, record: str, positions: int, partition: int = 0) -> str:
        """Positions that had left Kafka before the lake read them."""
        chain = Chain(TOPIC_NAMES[record], "AAA", partition)
        start = self.ends.get(chain, 0)
        return self._put(objects.build_gap(chain, start, start + positions, schema(record)), chain)

    def damage(self, key: str, body: bytes) -> None:
        """Other bytes under the same name, as no store should give."""
        (self.folder / key).write_bytes(body)
        self.store.objects[key] = (body, self.store.objects[key][1])

    def _put(self, made: LakeFile, chain: Chain) -> str:
        self.ends[chain] = made.end
        file = self.folder / made.key
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(made.body)
        self.store.objects[made.key] = (made.body, dict(made.metadata))
        return made.key
