"""Create the topics of the contract, with their settings, and register their schemas. All of it is idempotent."""

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import (  # type: ignore[attr-defined]
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
)
from confluent_kafka.cimpl import NewTopic

from infra.engines.kafka.admin import KafkaCluster
from infra.engines.kafka.config import QUIET, client_config
from infra.engines.registry import Registry
from infra.runtime.settings import Settings
from schemas import avro
from schemas.topics import COMPACTION_LAG_MS, LONGEST_COMPACTION_LAG_MS, TOPICS, Topic

TIMEOUT_S = 30
_TOPIC = ConfigResource.Type.TOPIC


def create_all(settings: Settings) -> None:
    KafkaCluster(settings).check_access()
    # The client must outlive its futures: keep it in a variable.
    client = AdminClient({**client_config(settings), **QUIET})
    existing = client.list_topics(timeout=TIMEOUT_S).topics
    wanted = [_new_topic(topic, settings) for topic in TOPICS.values() if topic.name not in existing]
    _alter(client, [topic for topic in TOPICS.values() if topic.name in existing])
    if not wanted:
        return
    for created in client.create_topics(wanted, operation_timeout=TIMEOUT_S).values():
        try:
            created.result()
        except KafkaException as error:
            if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:  # another `up` was faster
                raise


def _alter(client: AdminClient, topics: list[Topic]) -> None:
    """Give topics of earlier versions today's settings. What differs already agrees after the first time."""
    asked = client.describe_configs([ConfigResource(_TOPIC, topic.name) for topic in topics]) if topics else {}
    changed: list[ConfigResource] = []
    for resource, future in asked.items():
        now = {name: entry.value for name, entry in future.result(TIMEOUT_S).items()}
        differing = {name: value for name, value in config_of(TOPICS[resource.name]).items() if now.get(name) != value}
        if differing:
            entries = [
                ConfigEntry(name, value, incremental_operation=AlterConfigOpType.SET)
                for name, value in differing.items()
            ]
            changed.append(ConfigResource(_TOPIC, resource.name, incremental_configs=entries))
    for altered in client.incremental_alter_configs(changed).values() if changed else ():
        altered.result(TIMEOUT_S)


def register_all(settings: Settings) -> None:
    registry = Registry(settings)
    for topic in TOPICS.values():
        registry.register(topic.subject, avro.schema(topic.record))


def _new_topic(topic: Topic, settings: Settings) -> NewTopic:
    return NewTopic(
        topic.name,
        num_partitions=settings.topic_partitions,
        replication_factor=settings.topic_replication,
        config=config_of(topic),
    )


def config_of(topic: Topic) -> dict[str, str]:
    """Kafka's settings of the topic."""
    if topic.retention_ms is None:
        kept = {
            "cleanup.policy": "compact",
            "retention.ms": "-1",
            "min.compaction.lag.ms": str(COMPACTION_LAG_MS),
            "max.compaction.lag.ms": str(LONGEST_COMPACTION_LAG_MS),
        }
    else:
        kept = {"cleanup.policy": "delete", "retention.ms": str(topic.retention_ms)}
    return {
        **kept,
        # time of arrival, so that events of the past do not expire at once
        "message.timestamp.type": "LogAppendTime",
        "compression.type": "producer",
        # a dead letter may hold the largest request body, 1 MiB
        "max.message.bytes": str(2 * 2**20),
    }
