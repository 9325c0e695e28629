"""Which Kafka a Faust app reads. Without Faust: whoever only knows the address need not load it."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Broker:
    """Where Kafka is and how to speak to it; the fields of librdkafka's configuration of the same names."""

    bootstrap: str
    security_protocol: str = "PLAINTEXT"
    sasl_mechanism: str = "PLAIN"
    username: str = ""
    password: str = ""
    ca_file: Path | None = None
