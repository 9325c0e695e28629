"""What `up` creates in the backends; it is idempotent, also when several run at once."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
from confluent_kafka.admin import AdminClient
from confluent_kafka.admin._config import ConfigResource
from confluent_kafka.admin._resource import ResourceType

from infra import topics
from infra.engines.cassandra import close, connect
from infra.engines.kafka.config import client_config
from infra.engines.registry import FRESH_IDS, UNKNOWN_AFTER_S, Registry
from infra.local.program import StackError
from infra.migrate import migrate
from infra.runtime.settings import Settings
from schemas import avro
from schemas.errors import InvalidEvent, SchemaPending, TransientError
from schemas.topics import TOPICS


def test_every_topic_exists_with_its_partitions_and_keeps_records_by_arrival(stack: Settings) -> None:
    topics.create_all(stack)

    client = AdminClient({**client_config(stack)})
    found = client.list_topics(timeout=30).topics
    assert {name: len(found[name].partitions) for name in TOPICS} == dict.fromkeys(TOPICS, 4)

    resource = ConfigResource(ResourceType.TOPIC, "playhead.playback")
    config = client.describe_configs([resource])[resource].result()
    assert config["message.timestamp.type"].value == "LogAppendTime"
    assert config["retention.ms"].value == "604800000"


def test_every_topic_s_schema_is_registered_once_and_found_by_its_id(stack: Settings) -> None:
    registry = Registry(stack)
    ids = registry.ids()
    topics.register_all(stack)

    assert registry.ids() == ids
    assert set(ids) == {topic.record for topic in TOPICS.values()}
    assert registry.resolve(ids["playback"])["name"] == avro.schema("playback")["name"]


def test_schema_ids_that_may_be_new_are_awaited_together_for_a_minute_then_invalid(stack: Settings) -> None:
    now = 0.0
    registry = Registry(stack, monotonic=lambda: now)
    next_id = max(registry.ids().values()) + FRESH_IDS  # not just the next: other tests register schemas, too
    for schema_id in (next_id - 1, next_id):
        with pytest.raises(SchemaPending):
            registry.resolve(schema_id)
    now = UNKNOWN_AFTER_S + 1
    for schema_id in (next_id - 1, next_id):
        with pytest.raises(InvalidEvent) as refusal:
            registry.resolve(schema_id)
        assert refusal.value.code == "unknown_schema"


def test_a_schema_that_is_not_avro_is_not_an_event_s(stack: Settings) -> None:
    url = f"{stack.registry}/subjects/foreign-value/versions"
    schema = {"schema": 'syntax = "proto3"; message Foreign { string name = 1; }', "schemaType": "PROTOBUF"}
    foreign = httpx.post(url, json=schema).raise_for_status()
    with pytest.raises(InvalidEvent) as refusal:
        Registry(stack).resolve(foreign.json()["id"])
    assert refusal.value.code == "wrong_record"


def test_a_command_waits_for_no_schema_id(stack: Settings) -> None:
    with pytest.raises(InvalidEvent) as refusal:
        Registry(stack, unknown_after_s=0).resolve(0)
    assert refusal.value.code == "unknown_schema"


def test_a_schema_id_far_from_any_known_one_is_invalid_at_once(stack: Settings) -> None:
    with pytest.raises(InvalidEvent) as refusal:
        Registry(stack).resolve(2**30)
    assert refusal.value.code == "unknown_schema"


def test_an_unreachable_registry_is_transient(stack: Settings) -> None:
    with pytest.raises(TransientError):
        Registry(stack.model_copy(update={"registry_url": "http://127.0.0.1:1"})).ids()


def test_concurrent_migrations_apply_each_file_once_and_reject_a_changed_one(stack: Settings, tmp_path: Path) -> None:
    file = tmp_path / "900_trial.cql"
    file.write_text("CREATE TABLE ${keyspace}.trial (id int PRIMARY KEY);  -- no IF NOT EXISTS: twice would fail\n")
    with ThreadPoolExecutor() as pool:
        applied = list(pool.map(lambda _: migrate(stack, tmp_path), range(3)))
    assert sorted(applied) == [[], [], ["900_trial.cql"]]

    file.write_text("CREATE TABLE ${keyspace}.other (id int PRIMARY KEY);\n")
    with pytest.raises(StackError, match=r"900_trial\.cql has changed since it was applied"):
        migrate(stack, tmp_path)

    session = connect(stack)
    session.execute("DROP TABLE trial")
    session.execute("DELETE FROM migrations WHERE name = '900_trial.cql'")
    close(session)
