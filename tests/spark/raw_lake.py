"""A lake in a folder, as the lake sink makes it: what Spark reads, and a store that lists it with its metadata."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from domain.lake import container
from domain.lake.keys import Chain
from schemas.avro import Schema, schema
from schemas.codec import encode
from schemas.events import Event, record_name
from schemas.topics import EVENT_TOPICS
from tests.support.fakes import FakeObjectStore


@dataclass
class RawLake:
    folder: Path
    store: FakeObjectStore = field(default_factory=FakeObjectStore)
    ends: dict[Chain, int] = field(default_factory=dict)

    @property
    def root(self) -> str:
        return f"file:{self.folder}"

    def put(self, *events: Event, partition: int = 0, topic_id: str = "AAA") -> str:
        """One more object of a chain, of events of one family."""
        record = record_name(events[0])
        return self.put_datums(record, [encode(each) for each in events], schema(record), partition, topic_id)

    def put_datums(
        self, record: str, datums: Sequence[bytes], written_by: Schema, partition: int = 0, topic_id: str = "AAA"
    ) -> str:
        metadata = {
            "records": str(len(datums)),
            "dead_letters": "0",
            "kind": "data",
            "schema-id": str(hash(str(written_by))),
        }
        return self._put(
            Chain(EVENT_TOPICS[record].name, topic_id, partition), len(datums), datums, (written_by, metadata)
        )

    def put_gap(self, record: str, positions: int, partition: int = 0) -> str:
        """Positions that had left Kafka before the lake read them."""
        metadata = {"records": "0", "dead_letters": "0", "kind": "gap", "reason": "the log begins later"}
        return self._put(Chain(EVENT_TOPICS[record].name, "AAA", partition), positions, [], (schema(record), metadata))

    def damage(self, key: str, body: bytes) -> None:
        """Other bytes under the same name, as no store should give."""
        (self.folder / key).write_bytes(body)
        self.store.objects[key] = (body, self.store.objects[key][1])

    def _put(self, chain: Chain, span: int, datums: Sequence[bytes], made: tuple[Schema, dict[str, str]]) -> str:
        written_by, metadata = made
        start = self.ends.get(chain, 0)
        self.ends[chain] = start + span
        key = chain.key(start)
        body = container.write(key, written_by, datums, {})
        file = self.folder / key
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(body)
        self.store.objects[key] = (body, metadata | {"end": str(start + span), "sha256": sha256(body).hexdigest()})
        return key
