"""From what librdkafka says to what a person has to mend."""

import pytest
from confluent_kafka import KafkaError, KafkaException

from infra.engines.kafka.config import Complaints
from infra.runtime.settings import Settings
from schemas.errors import Refused

SETTINGS = Settings(kafka_bootstrap="broker:9093", kafka_security_protocol="SASL_SSL")
TIMED_OUT = KafkaException(KafkaError(KafkaError._TIMED_OUT, "Local: Timed out"))
BROKERS_DOWN = KafkaError(KafkaError._ALL_BROKERS_DOWN, "1/1 brokers are down")


@pytest.mark.parametrize(
    ("code", "setting"),
    [(KafkaError._AUTHENTICATION, "PLAYHEAD_KAFKA_PASSWORD"), (KafkaError._SSL, "PLAYHEAD_KAFKA_CA_FILE")],
)
def test_a_refusal_names_the_setting_and_keeps_kafkas_words(code: int, setting: str) -> None:
    complaints = Complaints(SETTINGS)
    complaints(KafkaError(code, "sasl_ssl://broker:9093/bootstrap: it is so"))
    complaints(BROKERS_DOWN)
    explained = complaints.explained(TIMED_OUT)
    assert isinstance(explained, Refused)
    assert setting in str(explained)
    assert str(explained).endswith("(it is so)")


def test_silence_is_no_refusal() -> None:
    complaints = Complaints(SETTINGS)
    complaints(BROKERS_DOWN)
    explained = complaints.explained(TIMED_OUT)
    assert not isinstance(explained, Refused)
    assert str(explained) == "Kafka at broker:9093 does not answer to SASL_SSL: Local: Timed out"


def test_an_old_refusal_is_forgotten_once_kafka_answers() -> None:
    complaints = Complaints(SETTINGS)
    complaints(KafkaError(KafkaError._AUTHENTICATION, "it was so"))
    complaints.forget()
    assert not isinstance(complaints.explained(TIMED_OUT), Refused)
