"""Which errors of librdkafka end a consumer: a worker that went on after one would read nothing and say nothing."""

from confluent_kafka import KafkaError

from infra.engines.kafka.consumer import is_final


def test_a_fenced_consumer_is_at_its_end() -> None:
    assert is_final(
        KafkaError(KafkaError._FATAL, "Static consumer fenced by other consumer with same group.instance.id")
    )
    assert is_final(KafkaError(KafkaError.FENCED_INSTANCE_ID, "fenced", fatal=True))


def test_a_broker_that_is_away_is_waited_for() -> None:
    assert not is_final(KafkaError(KafkaError._TRANSPORT, "broker down"))
