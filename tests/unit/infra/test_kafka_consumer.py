"""Which errors end a consumer: after one of these a worker would silently read nothing."""

from confluent_kafka import KafkaError

from infra.engines.kafka.consumer import is_final


def test_a_fenced_consumer_ends() -> None:
    assert is_final(
        KafkaError(KafkaError._FATAL, "Static consumer fenced by other consumer with same group.instance.id")
    )
    assert is_final(KafkaError(KafkaError.FENCED_INSTANCE_ID, "fenced", fatal=True))


def test_an_unreachable_broker_does_not_end_the_consumer() -> None:
    assert not is_final(KafkaError(KafkaError._TRANSPORT, "broker down"))
