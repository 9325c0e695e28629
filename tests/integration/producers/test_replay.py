"""The replay command on the real Kafka and the real collector."""

from uuid import uuid4

import msgspec
import pytest
from typer.testing import CliRunner

from infra.engines.kafka.publisher import RecordPublisher
from infra.engines.registry import Registry
from infra.runtime.settings import Settings
from producers.collector.examples import EXAMPLES, SENT_AT
from producers.replay.main import app
from schemas import codec
from schemas.dead_letter import Position, of_record, of_refused
from schemas.errors import InvalidEvent
from schemas.framing import frame
from schemas.topics import DEAD_LETTERS
from tests.integration.producers.conftest import Collector, Tail
from tests.support.builders import playback

MENDED = InvalidEvent(f"mended_{uuid4().hex}", "A rule was too strict.")


def replay(*arguments: str) -> str:
    result = CliRunner().invoke(app, ["--error-class", MENDED.code, *arguments])
    assert result.exit_code == 0, result.output
    return result.output


@pytest.fixture
def dead(stack: Settings) -> bytes:
    """Two dead letters that are valid by now, one found in Kafka, one refused over HTTP; the first one's bytes."""
    ids = Registry(stack).ids()
    value = frame(ids["playback"], codec.encode(playback(event_id=str(uuid4()))))
    found = of_record(MENDED, Position("playhead.playback", "gone", 0, 1), b"ml-1", value, SENT_AT)
    refused = of_refused(MENDED, msgspec.json.encode(EXAMPLES["ui"]), "playhead.ui", SENT_AT, SENT_AT)
    RecordPublisher(stack, Registry(stack), DEAD_LETTERS, "dead_letter_id").publish([found, refused])
    return value


def test_dead_letters_are_sent_again_once(stack: Settings, collector: Collector, dead: bytes) -> None:
    tails = [Tail(stack, "playhead.playback"), Tail(stack, "playhead.ui")]

    assert replay().count("valid now") == 2
    assert [len(tail.records()) for tail in tails] == [0, 0]

    assert replay("--send").count("sent") == 2
    assert [record.value() for record in tails[0].records()] == [dead]
    assert len(tails[1].records()) == 1

    assert replay("--send") == "no dead letters wait to be replayed\n"
    assert [len(tail.records()) for tail in tails] == [1, 1]
