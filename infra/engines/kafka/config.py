"""How our processes connect to Kafka: settings as librdkafka configuration, and its errors in plain words."""

from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

from confluent_kafka import KafkaError, KafkaException

from infra.runtime.settings import Settings
from schemas.errors import AccessDenied, TransientError

P = ParamSpec("P")
R = TypeVar("R")
QUIET: dict[str, Any] = {"log_level": 2, "error_cb": lambda _: None}
"""Our callers report an unavailable Kafka once; librdkafka would log each attempt to reconnect."""
HINTS = {
    KafkaError._AUTHENTICATION: (
        "denies access: check PLAYHEAD_KAFKA_USERNAME, PLAYHEAD_KAFKA_PASSWORD and PLAYHEAD_KAFKA_SASL_MECHANISM"
    ),
    KafkaError._SSL: (
        "has a certificate that is not trusted: PLAYHEAD_KAFKA_CA_FILE must contain the certificate of its authority, "
        "and PLAYHEAD_KAFKA_BOOTSTRAP a name that is in the certificate"
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


class ErrorMemory:
    """Remembers the last error of librdkafka's ``error_cb``, because its exceptions only say "timed out"."""

    def __init__(self, settings: Settings) -> None:
        self._kafka = f"Kafka at {settings.kafka}"
        self._protocol = settings.kafka_security_protocol
        self._last: KafkaError | None = None

    def __call__(self, error: KafkaError) -> None:
        # "All brokers are down" follows the actual reason.
        if error.code() != KafkaError._ALL_BROKERS_DOWN:
            self._last = error

    def forget(self) -> None:
        """Call after a successful answer."""
        self._last = None

    def explain(self, error: KafkaException) -> TransientError:
        last = self._last or error.args[0]
        message = last.str().rpartition("bootstrap: ")[2]
        if last.code() in HINTS:
            return AccessDenied(f"{self._kafka} {HINTS[last.code()]} ({message})")
        return TransientError(f"{self._kafka} does not answer over {self._protocol}: {message}")


def topic_id(found: object) -> str:
    """A topic id as Kafka prints it (librdkafka prints "/" and "+" instead of "_" and "-")."""
    return str(found).translate(str.maketrans("+/", "-_"))


def answered(call: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """The call's result. TransientError instead of a KafkaException."""
    try:
        return call(*args, **kwargs)
    except KafkaException as error:
        raise TransientError(f"Kafka does not answer: {error.args[0].str()}") from error
