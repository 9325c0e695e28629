"""The lake in tests: in its own bucket, and how far it has read."""

from uuid import uuid4

from domain.lake.keys import Chain
from domain.lake.reading import read_objects
from infra.engines.kafka.reader import TopicReader
from infra.engines.s3 import ObjectStore
from infra.runtime.settings import Settings
from schemas.topics import TOPICS


def with_new_lake(stack: Settings) -> Settings:
    """An empty bucket: a sink reads every topic from its first record."""
    settings = stack.model_copy(update={"lake_bucket": f"lake-{uuid4()}", "lake_flush_seconds": 1.0})
    ObjectStore(settings).ensure_bucket()
    return settings


def lag(settings: Settings) -> int:
    """Records of all topics that the lake does not hold yet."""
    held = {o.chain: o.end for o in read_objects(ObjectStore(settings))}
    return sum(after - held.get(chain, 0) for chain, after in log_ends(settings).items())


def log_ends(settings: Settings) -> dict[Chain, int]:
    """Where the topics that exist now end; other tests leave objects of topics that are gone."""
    spans = TopicReader(settings).spans(TOPICS)
    return {Chain(topic, topic_id, partition): after for topic, topic_id, partition, _, after in spans}
