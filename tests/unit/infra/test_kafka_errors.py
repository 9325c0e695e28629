"""Kafka's errors name the setting to fix."""

import pytest
from confluent_kafka import KafkaError, KafkaException

from infra.engines.kafka.config import ErrorMemory
from infra.runtime.settings import Settings
from schemas.errors import AccessDenied

SETTINGS = Settings(kafka_bootstrap="broker:9093", kafka_security_protocol="SASL_SSL")
TIMED_OUT = KafkaException(KafkaError(KafkaError._TIMED_OUT, "Local: Timed out"))
BROKERS_DOWN = KafkaError(KafkaError._ALL_BROKERS_DOWN, "1/1 brokers are down")


@pytest.mark.parametrize(
    ("code", "setting"),
    [(KafkaError._AUTHENTICATION, "PLAYHEAD_KAFKA_PASSWORD"), (KafkaError._SSL, "PLAYHEAD_KAFKA_CA_FILE")],
)
def test_a_denied_access_names_the_setting_and_keeps_kafkas_message(code: int, setting: str) -> None:
    memory = ErrorMemory(SETTINGS)
    memory(KafkaError(code, "sasl_ssl://broker:9093/bootstrap: the cause"))
    memory(BROKERS_DOWN)
    error = memory.explain(TIMED_OUT)
    assert isinstance(error, AccessDenied)
    assert setting in str(error)
    assert str(error).endswith("(the cause)")


def test_a_timeout_is_not_a_denied_access() -> None:
    memory = ErrorMemory(SETTINGS)
    memory(BROKERS_DOWN)
    error = memory.explain(TIMED_OUT)
    assert not isinstance(error, AccessDenied)
    assert str(error) == "Kafka at broker:9093 does not answer over SASL_SSL: Local: Timed out"


def test_a_past_error_is_forgotten_once_kafka_answers() -> None:
    memory = ErrorMemory(SETTINGS)
    memory(KafkaError(KafkaError._AUTHENTICATION, "it was so"))
    memory.forget()
    assert not isinstance(memory.explain(TIMED_OUT), AccessDenied)
