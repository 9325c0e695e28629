import pytest
from confluent_kafka.schema_registry import SchemaRegistryClient, SchemaRegistryError

from infra.engines.registry import Registry
from infra.runtime.settings import Settings
from schemas.errors import TransientError
from schemas.topics import CHANGE_TOPICS


def test_a_topic_whose_schema_is_not_registered_yet_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(_: SchemaRegistryClient, subject: str) -> list[int]:
        raise SchemaRegistryError(404, 40401, f"Subject '{subject}' not found.")

    monkeypatch.setattr(SchemaRegistryClient, "get_versions", unknown)
    with pytest.raises(TransientError, match="`playhead up` registers it"):
        Registry(Settings()).id_of(CHANGE_TOPICS["accounts"], "0" * 16)
