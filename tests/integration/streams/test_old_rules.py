"""Topics of a real Kafka as 0.1.0 left them: by its schemas, under its rules. All of it is read, nothing refused."""

import io
import json
from uuid import uuid4

import fastavro
import msgspec

from infra.engines.kafka.publisher import BulkProducer
from infra.engines.kafka.reader import TopicReader
from infra.engines.registry import Registry
from infra.runtime.settings import ROOT, Settings
from schemas import avro
from schemas.batch import BatchDecoder
from schemas.framing import frame
from schemas.topics import EVENT_TOPICS
from tests.support.builders import EVENTS
from tests.support.rule_cases import ACCEPTED_BEFORE


def test_what_was_accepted_under_the_old_rules_gives_no_new_dead_letter(stack: Settings) -> None:
    log, registry, device = TopicReader(stack), Registry(stack), f"old-{uuid4()}"
    names = {topic.name: family for family, topic in EVENT_TOPICS.items()}
    before = {(topic, partition): after for topic, _, partition, _, after in log.spans(names)}
    schemas = {family: json.loads((ROOT / f"tests/golden/{family}/v1.avsc").read_text()) for family in EVENTS}
    # Under separate subjects: each topic's newest schema stays the one that producers write.
    ids = {family: registry.register(f"old.{family}-value", schema) for family, schema in schemas.items()}

    def record(family: str, changes: dict[str, object]) -> tuple[str, bytes, bytes]:
        out, fields = io.BytesIO(), msgspec.structs.asdict(EVENTS[family](**{"device_id": device} | changes))
        fastavro.schemaless_writer(out, fastavro.parse_schema(avro.physical(schemas[family])), fields)
        return EVENT_TOPICS[family].name, b"old", frame(ids[family], out.getvalue())

    BulkProducer(stack).write([record(*each) for each in ACCEPTED_BEFORE])

    decoder, decoded = BatchDecoder(registry.resolve), []
    for topic, _, partition, _, after in log.spans(names):
        for batch in log.read(topic, partition, before[topic, partition], after):
            ours = [value for _, value in batch if value and device.encode() in value]
            decoded.append(decoder.decode(names[topic], ours))
    assert [each.invalid for each in decoded if each.invalid] == []
    assert sum(len(each.frame) for each in decoded) == len(ACCEPTED_BEFORE)
