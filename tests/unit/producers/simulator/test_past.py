"""Past mode's log says `sent` before and how it went after, so that the ledger can be balanced."""

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from producers.ports import Message
from producers.simulator.client_log import ClientLog
from producers.simulator.past import Sending, play
from schemas.errors import TransientError
from tests.support.builders import playback

GOOD = Sending(Message("playhead.playback", b"ml-1", b"good"), playback(event_id="a"), corrupt=False, field=None)
BAD = Sending(Message("playhead.playback", b"ml-1", b"bad"), playback(event_id="b"), corrupt=True, field="seq")


class Kafka:
    def __init__(self, log: Path, fails: bool = False) -> None:
        self.messages: list[Message] = []
        self.logged_before = ""
        self._log, self._fails = log, fails

    def write(self, messages: Sequence[Message]) -> None:
        self.logged_before = self._log.read_text()
        if self._fails:
            raise TransientError("Kafka is away")
        self.messages += messages


def lines(path: Path) -> list[dict[str, str]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_valid_events_are_accepted_and_corrupt_ones_refused(tmp_path: Path) -> None:
    path, steps = tmp_path / "logs" / "past.jsonl", []
    kafka = Kafka(path)
    with ClientLog(path) as log:
        play([GOOD, BAD], kafka, log, lambda batch: steps.append(len(batch)))
    assert [message.value for message in kafka.messages] == [b"good", b"bad"]
    assert steps == [2]
    assert lines(path) == [
        {"event_id": "a", "family": "playback", "outcome": "sent"},
        {"event_id": "b", "family": "playback", "outcome": "sent"},
        {"event_id": "a", "family": "playback", "outcome": "accepted"},
        {"event_id": "b", "family": "playback", "outcome": "refused", "field": "seq"},
    ]
    assert kafka.logged_before.count('"sent"') == 2


def test_what_kafka_did_not_confirm_stays_sent(tmp_path: Path) -> None:
    path = tmp_path / "past.jsonl"
    with ClientLog(path) as log, pytest.raises(TransientError):
        play([GOOD], Kafka(path, fails=True), log, lambda _: None)
    assert [line["outcome"] for line in lines(path)] == ["sent"]
