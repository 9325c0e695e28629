"""How any of our processes reaches Kafka: one place turns settings into librdkafka's configuration."""

from infra.settings import Settings


def client_config(settings: Settings) -> dict[str, str]:
    """Connection and security for every confluent-kafka client (producer, consumer, admin)."""
    config = {"bootstrap.servers": settings.kafka, "security.protocol": settings.kafka_security_protocol}
    if settings.kafka_ca_file:
        config["ssl.ca.location"] = str(settings.kafka_ca_file)
    if settings.kafka_security_protocol.startswith("SASL"):
        config |= {
            "sasl.mechanism": settings.kafka_sasl_mechanism,
            "sasl.username": settings.kafka_username,
            "sasl.password": settings.kafka_password.get_secret_value(),
        }
    return config


def topic_id(found: object) -> str:
    """Kafka's id of a topic as Kafka itself prints it (librdkafka's text has "/" and "+" in it)."""
    return str(found).translate(str.maketrans("+/", "-_"))
