"""Topics, offsets and committed positions, without joining a group or reading a record."""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, cast

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicCollection, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec  # type: ignore[attr-defined]
from tenacity import Retrying, retry_if_exception, stop_after_delay, wait_fixed

from infra.engines.kafka.config import QUIET, ErrorMemory, P, R, client_config, topic_id
from infra.runtime.settings import Settings
from schemas.errors import AccessDenied, TransientError
from schemas.topics import Partition

ANSWER_S = 5.0
METADATA_S = 0.5
FIRST, NEXT = OffsetSpec.earliest(), OffsetSpec.latest()  # type: ignore[no-untyped-call]
LOADING = (
    KafkaError.NOT_COORDINATOR,
    KafkaError.COORDINATOR_LOAD_IN_PROGRESS,
    KafkaError.COORDINATOR_NOT_AVAILABLE,
    KafkaError._WAIT_COORD,
)


class KafkaCluster:
    """Every method raises TransientError when Kafka does not answer, AccessDenied when it denies access."""

    def __init__(self, settings: Settings, answer_s: float = ANSWER_S) -> None:
        self._settings = settings
        self._answer_s = answer_s
        self._errors = ErrorMemory(settings)
        config: dict[str, Any] = {**client_config(settings), **QUIET, "error_cb": self._errors}
        self._admin = AdminClient(config)
        self._group_clients: dict[str, Consumer] = {}

    def check_access(self) -> None:
        """Returns once Kafka accepts our connection and credentials."""
        until = time.monotonic() + self._answer_s
        while True:
            try:
                self._answered(self._admin.list_topics, timeout=METADATA_S)
                return
            except AccessDenied:
                raise
            except TransientError:
                if time.monotonic() > until:
                    raise

    def partitions(self, topics: Iterable[str]) -> list[Partition]:
        return [(name, p.id) for name, topic in self._described(topics).items() for p in topic.partitions]

    def topic_ids(self, topics: Iterable[str], *, existing: bool = False) -> dict[str, str]:
        """``existing``: leave out topics that do not exist instead of raising."""
        return {name: topic_id(topic.topic_id) for name, topic in self._described(topics, existing).items()}

    def bounds(self, partitions: Iterable[Partition], which: OffsetSpec) -> dict[Partition, int]:
        """Each partition's first offset (``FIRST``), next offset (``NEXT``), or offset ``at_time``."""
        asked = {TopicPartition(*partition): which for partition in partitions}
        answers = self._admin.list_offsets(asked, request_timeout=self._answer_s) if asked else {}
        return {(p.topic, p.partition): self._answered(future.result).offset for p, future in answers.items()}

    def range(self, partitions: Sequence[Partition]) -> tuple[dict[Partition, int], dict[Partition, int]]:
        """The first and the next offset of each partition."""
        return self.bounds(partitions, FIRST), self.bounds(partitions, NEXT)

    def committed(self, group: str, partitions: Iterable[Partition]) -> Mapping[Partition, int]:
        """The group's committed offsets; partitions without a commit are left out."""
        # Not list_consumer_group_offsets: while a broker is still loading the group (always in a new cluster),
        # librdkafka crashes the process, because an admin client has no group whose coordinator it could look up.
        if group not in self._group_clients:
            self._group_clients[group] = groupless_consumer(
                self._settings, {"group.id": group, "error_cb": self._errors}
            )
        asked = [TopicPartition(*partition) for partition in partitions]
        committed = _ONCE_LOADED(self._answered, self._group_clients[group].committed, asked, timeout=self._answer_s)
        return {(p.topic, p.partition): p.offset for p in committed if p.offset >= 0}

    def _described(self, topics: Iterable[str], existing: bool = False) -> dict[str, Any]:
        described = self._admin.describe_topics(TopicCollection(list(topics)), request_timeout=self._answer_s)
        found = {}
        for name, future in described.items():
            try:
                found[name] = self._answered(future.result)
            except TransientError as error:
                if not (existing and _code(error) == KafkaError.UNKNOWN_TOPIC_OR_PART):
                    raise
        return found

    def _answered(self, call: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        try:
            answer = call(*args, **kwargs)
        except KafkaException as error:
            self._admin.poll(0)  # runs the error callback, which has the reason
            raise self._errors.explain(error) from error
        self._errors.forget()
        return answer


def groupless_consumer(settings: Settings, config: Mapping[str, Any]) -> Consumer:
    """A consumer that never joins a group and never commits."""
    group = {"group.id": "playhead.groupless_consumer", "enable.auto.commit": False}  # librdkafka requires a name
    return Consumer({**client_config(settings), **QUIET, **group, **config})


def _is_loading(error: BaseException) -> bool:
    """The group's coordinator is not ready yet, seconds after it started or took over the group."""
    return _code(error) in LOADING


def _code(error: BaseException) -> int | None:
    """The code of the Kafka error behind ours."""
    reason = error.__cause__
    return reason.args[0].code() if isinstance(reason, KafkaException) else None


_ONCE_LOADED = Retrying(
    retry=retry_if_exception(_is_loading), wait=wait_fixed(0.1), stop=stop_after_delay(ANSWER_S), reraise=True
)


def at_time(appended_ms: int) -> OffsetSpec:
    """For ``bounds``: the first offset appended at that time or later, -1 if there is none."""
    return cast(OffsetSpec, OffsetSpec.for_timestamp(appended_ms))
