"""Create the topics of the contract and register their schemas. Both are idempotent."""

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from infra.engines.kafka.admin import KafkaCluster
from infra.engines.kafka.config import QUIET, client_config
from infra.engines.registry import Registry
from infra.runtime.settings import Settings
from schemas import avro
from schemas.topics import TOPICS, Topic

TIMEOUT_S = 30


def create_all(settings: Settings) -> None:
    KafkaCluster(settings).check_access()
    # The client must outlive its futures: keep it in a variable.
    client = AdminClient({**client_config(settings), **QUIET})
    existing = client.list_topics(timeout=TIMEOUT_S).topics
    wanted = [_new_topic(topic, settings) for topic in TOPICS.values() if topic.name not in existing]
    if not wanted:
        return
    for created in client.create_topics(wanted, operation_timeout=TIMEOUT_S).values():
        try:
            created.result()
        except KafkaException as error:
            if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:  # another `up` was faster
                raise


def register_all(settings: Settings) -> None:
    registry = Registry(settings)
    for topic in TOPICS.values():
        registry.register(topic.subject, avro.schema(topic.record))


def _new_topic(topic: Topic, settings: Settings) -> NewTopic:
    return NewTopic(
        topic.name,
        num_partitions=settings.topic_partitions,
        replication_factor=settings.topic_replication,
        config={
            # time of arrival, so that events of the past do not expire at once
            "message.timestamp.type": "LogAppendTime",
            "retention.ms": str(topic.retention_ms),
            "compression.type": "producer",
            # a dead letter may hold the largest request body, 1 MiB
            "max.message.bytes": str(2 * 2**20),
        },
    )
