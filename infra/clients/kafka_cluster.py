"""What Kafka says of its topics and groups, asked from beside: nothing here joins a group or reads a record."""

import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any, ParamSpec, TypeVar, cast

from confluent_kafka import ConsumerGroupTopicPartitions, KafkaException, TopicCollection, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec  # type: ignore[attr-defined]

from infra.clients.kafka import Complaints, client_config, topic_id
from infra.settings import Settings
from schemas.errors import Refused, TransientError

ANSWER_S = 5.0
GREETING_S = 0.5
FIRST, NEXT = OffsetSpec.earliest(), OffsetSpec.latest()  # type: ignore[no-untyped-call]
QUIET: dict[str, Any] = {"log_level": 2, "error_cb": lambda _: None}
"""That Kafka is away is for our callers to tell, once, not for every attempt to reconnect."""

Partition = tuple[str, int]
"""Topic and number."""
P = ParamSpec("P")
R = TypeVar("R")


class KafkaCluster:
    """Every method raises TransientError when Kafka does not answer, Refused when it does not let us in."""

    def __init__(self, settings: Settings) -> None:
        self._complaints = Complaints(settings)
        config: dict[str, Any] = {**client_config(settings), **QUIET, "error_cb": self._complaints}
        self._admin = AdminClient(config)

    def greet(self) -> None:
        """Returns as soon as Kafka lets us in."""
        until = time.monotonic() + ANSWER_S
        while True:
            try:
                self._answered(self._admin.list_topics, timeout=GREETING_S)
                return
            except Refused:
                raise
            except TransientError:
                if time.monotonic() > until:
                    raise

    def partitions(self, topics: Iterable[str]) -> list[Partition]:
        return [(name, p.id) for name, topic in self._described(topics).items() for p in topic.partitions]

    def topic_ids(self, topics: Iterable[str]) -> dict[str, str]:
        return {name: topic_id(topic.topic_id) for name, topic in self._described(topics).items()}

    def bounds(self, partitions: Iterable[Partition], which: OffsetSpec) -> dict[Partition, int]:
        """The first offset (``FIRST``), the one after the last (``NEXT``) or one ``at_time`` of each partition."""
        asked = {TopicPartition(*partition): which for partition in partitions}
        answers = self._admin.list_offsets(asked, request_timeout=ANSWER_S) if asked else {}
        return {(at.topic, at.partition): self._answered(future.result).offset for at, future in answers.items()}

    def committed(self, group: str) -> Mapping[Partition, int]:
        """Where the group goes on, for the partitions of which it has ever committed anything."""
        asked = self._admin.list_consumer_group_offsets([ConsumerGroupTopicPartitions(group)], request_timeout=ANSWER_S)
        places = self._answered(asked[group].result).topic_partitions or ()
        return {(p.topic, p.partition): p.offset for p in places if p.offset >= 0}

    def _described(self, topics: Iterable[str]) -> dict[str, Any]:
        described = self._admin.describe_topics(TopicCollection(list(topics)), request_timeout=ANSWER_S)
        return {name: self._answered(future.result) for name, future in described.items()}

    def _answered(self, call: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        try:
            answer = call(*args, **kwargs)
        except KafkaException as error:
            self._admin.poll(0)  # calls back with the reason
            raise self._complaints.explained(error) from error
        self._complaints.forget()
        return answer


def at_time(appended_ms: int) -> OffsetSpec:
    """For ``bounds``: the first offset appended at that time or later, -1 where there is none."""
    return cast(OffsetSpec, OffsetSpec.for_timestamp(appended_ms))


def answered(call: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    try:
        return call(*args, **kwargs)
    except KafkaException as error:
        raise TransientError(f"Kafka does not answer: {error.args[0].str()}") from error
