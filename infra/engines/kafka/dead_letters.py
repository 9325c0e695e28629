"""Writes the dead letter topic."""

from collections.abc import Sequence

from infra.engines.kafka.bulk import BulkProducer
from infra.runtime.settings import Settings
from schemas.codec import encode
from schemas.events import DeadLetter
from schemas.framing import frame
from schemas.topics import DEAD_LETTERS


class KafkaDeadLetters:
    """Satisfies ``domain.lake.ports.DeadLetters``."""

    def __init__(self, settings: Settings, schema_id: int) -> None:
        self._schema_id = schema_id
        self._producer = BulkProducer(settings)

    def publish(self, dead_letters: Sequence[DeadLetter]) -> None:
        """Returns when Kafka has all of them. On a TransientError publish all of them again."""
        self._producer.write(
            [
                (DEAD_LETTERS.name, each.dead_letter_id.encode(), frame(self._schema_id, encode(each)))
                for each in dead_letters
            ]
        )
