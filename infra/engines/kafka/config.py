"""How any of our processes reaches Kafka: one place turns settings into librdkafka's configuration."""

from confluent_kafka import KafkaError, KafkaException

from infra.runtime.settings import Settings
from schemas.errors import Refused, TransientError

MEND = {
    KafkaError._AUTHENTICATION: (
        "does not let us in: check PLAYHEAD_KAFKA_USERNAME, PLAYHEAD_KAFKA_PASSWORD and PLAYHEAD_KAFKA_SASL_MECHANISM"
    ),
    KafkaError._SSL: (
        "does not show a certificate to be trusted: PLAYHEAD_KAFKA_CA_FILE must hold its authority's, "
        "PLAYHEAD_KAFKA_BOOTSTRAP a name that stands in the certificate"
    ),
}


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


class Complaints:
    """What librdkafka tells its ``error_cb``. Its exceptions only say that nothing came in time, not why."""

    def __init__(self, settings: Settings) -> None:
        self._kafka = f"Kafka at {settings.kafka}"
        self._protocol = settings.kafka_security_protocol
        self._last: KafkaError | None = None

    def __call__(self, complaint: KafkaError) -> None:
        # "All brokers are down" follows the reason, and says less.
        if complaint.code() != KafkaError._ALL_BROKERS_DOWN:
            self._last = complaint

    def forget(self) -> None:
        """It answers now."""
        self._last = None

    def explained(self, error: KafkaException) -> TransientError:
        last = self._last or error.args[0]
        words = last.str().rpartition("bootstrap: ")[2]
        if last.code() in MEND:
            return Refused(f"{self._kafka} {MEND[last.code()]} ({words})")
        return TransientError(f"{self._kafka} does not answer to {self._protocol}: {words}")


def topic_id(found: object) -> str:
    """Kafka's id of a topic as Kafka itself prints it (librdkafka's text has "/" and "+" in it)."""
    return str(found).translate(str.maketrans("+/", "-_"))
