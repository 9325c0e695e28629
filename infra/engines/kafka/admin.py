"""What Kafka says of its topics and groups, asked from beside: nothing here joins a group or reads a record."""

import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any, ParamSpec, TypeVar, cast

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicCollection, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec  # type: ignore[attr-defined]
from tenacity import Retrying, retry_if_exception, stop_after_delay, wait_fixed

from infra.engines.kafka.config import Complaints, client_config, topic_id
from infra.runtime.settings import Settings
from schemas.errors import Refused, TransientError

ANSWER_S = 5.0
GREETING_S = 0.5
FIRST, NEXT = OffsetSpec.earliest(), OffsetSpec.latest()  # type: ignore[no-untyped-call]
QUIET: dict[str, Any] = {"log_level": 2, "error_cb": lambda _: None}
"""That Kafka is away is for our callers to tell, once, not for every attempt to reconnect."""

LOADING = (
    KafkaError.NOT_COORDINATOR,
    KafkaError.COORDINATOR_LOAD_IN_PROGRESS,
    KafkaError.COORDINATOR_NOT_AVAILABLE,
    KafkaError._WAIT_COORD,
)

Partition = tuple[str, int]
"""Topic and number."""
P = ParamSpec("P")
R = TypeVar("R")


class KafkaCluster:
    """Every method raises TransientError when Kafka does not answer, Refused when it does not let us in."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._complaints = Complaints(settings)
        config: dict[str, Any] = {**client_config(settings), **QUIET, "error_cb": self._complaints}
        self._admin = AdminClient(config)
        self._onlookers: dict[str, Consumer] = {}

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

    def committed(self, group: str, partitions: Iterable[Partition]) -> Mapping[Partition, int]:
        """Where the group goes on, in those of the partitions of which it has ever committed anything."""
        # Not by list_consumer_group_offsets: while a broker has still to load the group (always in a new cluster)
        # librdkafka crashes the process, since an admin client has no group of its own whose broker to look up again.
        if group not in self._onlookers:
            self._onlookers[group] = onlooker(self._settings, {"group.id": group, "error_cb": self._complaints})
        asked = [TopicPartition(*partition) for partition in partitions]
        places = _ONCE_LOADED(self._answered, self._onlookers[group].committed, asked, timeout=ANSWER_S)
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


def onlooker(settings: Settings, config: Mapping[str, Any]) -> Consumer:
    """A consumer that never joins its group and never commits."""
    nobody = {"group.id": "playhead.onlooker", "enable.auto.commit": False}  # librdkafka asks for a name in any case
    return Consumer({**client_config(settings), **QUIET, **nobody, **config})


def _is_loading(error: BaseException) -> bool:
    """A group's broker is not ready yet: seconds after it began, or after the group has moved to another one."""
    reason = error.__cause__
    return isinstance(reason, KafkaException) and reason.args[0].code() in LOADING


_ONCE_LOADED = Retrying(
    retry=retry_if_exception(_is_loading), wait=wait_fixed(0.1), stop=stop_after_delay(ANSWER_S), reraise=True
)


def at_time(appended_ms: int) -> OffsetSpec:
    """For ``bounds``: the first offset appended at that time or later, -1 where there is none."""
    return cast(OffsetSpec, OffsetSpec.for_timestamp(appended_ms))


def answered(call: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    try:
        return call(*args, **kwargs)
    except KafkaException as error:
        raise TransientError(f"Kafka does not answer: {error.args[0].str()}") from error
