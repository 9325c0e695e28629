"""What KafkaCluster makes of the admin client's answers."""

from concurrent.futures import Future
from types import SimpleNamespace
from typing import Any

import pytest
from confluent_kafka import KafkaError, KafkaException, TopicCollection

from infra.engines.kafka.admin import KafkaCluster
from infra.runtime.settings import Settings
from schemas.errors import TransientError


class FakeAdmin:
    """Knows one topic."""

    def describe_topics(self, topics: TopicCollection, request_timeout: float) -> dict[str, Future[Any]]:
        return {name: self._answer(name) for name in topics.topic_names}

    def _answer(self, name: str) -> Future[Any]:
        answer: Future[Any] = Future()
        if name == "known":
            answer.set_result(SimpleNamespace(topic_id="a/b+c", partitions=[]))
        else:
            answer.set_exception(KafkaException(KafkaError(KafkaError.UNKNOWN_TOPIC_OR_PART)))
        return answer

    def poll(self, timeout: float) -> None: ...


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> KafkaCluster:
    monkeypatch.setattr("infra.engines.kafka.admin.AdminClient", lambda _: FakeAdmin())
    return KafkaCluster(Settings())


def test_topic_ids_look_as_kafka_prints_them(cluster: KafkaCluster) -> None:
    assert cluster.topic_ids(["known"]) == {"known": "a_b-c"}


def test_a_missing_topic_is_left_out_only_on_request(cluster: KafkaCluster) -> None:
    assert cluster.topic_ids(["known", "missing"], existing=True) == {"known": "a_b-c"}
    with pytest.raises(TransientError):
        cluster.topic_ids(["known", "missing"])
