"""From Kafka and HTTP to history, lake and dead letters, on the real engines; and the ledger over all of it."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from domain.clock import system_clock
from domain.processes import PROCESSES
from infra.engines.kafka.publisher import BulkProducer
from infra.engines.registry import Registry
from infra.runtime.settings import PORT_BASES, ROOT
from producers.ports import Message
from producers.simulator.network import Faults
from schemas.codec import encode
from schemas.events import DeadLetter, Event, Playback, family, key
from schemas.framing import frame
from schemas.topics import EVENT_TOPICS
from tests.support.builders import EVENTS, as_client, playback
from tests.support.identity import member_headers
from tests.support.pipeline import PATIENCE_S, Pipeline, Place, dead_letters, eventually, get, playhead
from tests.support.rule_cases import BYTES_CASES, JSON_CASES, RULE_CASES, JsonCase, RuleCase
from tests.support.simulated_events import generate

HOSTILE = Faults(late=0.05, duplicated=0.05, reordered=0.05, corrupt=0.02, lost=0.01)
EVENTS_SENT = 20_000
STARTED_AT = system_clock() - 60_000
SESSION = "0199a000-0000-7000-8000-00000000{:04x}"
EVENT = "0199a000-0000-7000-8000-0000000e{:04x}"


@pytest.fixture(scope="module")
def played(pipeline: Pipeline) -> Pipeline:
    """20,000 events of a bad day, every way to break the contract as bytes in Kafka, and some events over HTTP."""
    ids = Registry(pipeline.settings).ids()
    sent = generate(seed=11, ids=ids, events=EVENTS_SENT, faults=HOSTILE)
    assert sent.corrupt
    pipeline.send(sent.records, sent.events)
    pipeline.send(_broken(ids), [])
    pipeline.send_over_http(_live())
    pipeline.drain()
    return pipeline


@pytest.fixture(scope="module")
def records(played: Pipeline) -> dict[Place, bytes | None]:
    """All that Kafka holds after it; what later tests send is not among them."""
    return played.kafka()


@pytest.fixture(scope="module")
def valid(played: Pipeline, records: dict[Place, bytes | None]) -> set[Place]:
    return set(played.valid(records))


@pytest.fixture(scope="module")
def letters(played: Pipeline, records: dict[Place, bytes | None]) -> dict[Place, DeadLetter]:
    return dead_letters(records)


def _broken(ids: dict[str, int]) -> list[Message]:
    by_rule = [EVENTS[case.family](**case.overrides) for case in RULE_CASES]
    messages = [Message(EVENT_TOPICS[family(event)].name, b"rule", pipeline_payload(ids, event)) for event in by_rule]
    framed = pipeline_payload(ids, playback())
    topic = EVENT_TOPICS["playback"].name
    return messages + [Message(topic, b"bytes", case.spoil(framed)) for case in BYTES_CASES]  # type: ignore[arg-type]


def pipeline_payload(ids: dict[str, int], event: Event) -> bytes:
    return frame(ids[family(event)], encode(event))


def _live(last_seq: int = 49) -> list[Playback]:
    """Four sessions of fifty heartbeats."""
    return [
        playback(
            event_id=EVENT.format(session * 100 + seq),
            playback_session_id=SESSION.format(session),
            profile_id=f"http-{session}",
            session_started_at=STARTED_AT,
            client_time=STARTED_AT + 1,
            seq=seq,
        )
        for session in range(4)
        for seq in range(last_seq + 1)
    ]


def test_every_history_equals_what_was_sent(played: Pipeline) -> None:
    expected = played.expected_histories()
    assert len(expected) > 20
    assert played.histories() == expected


def test_every_record_in_kafka_is_in_the_lake_exactly_once_or_is_a_dead_letter(
    played: Pipeline, records: dict[Place, bytes | None], valid: set[Place], letters: dict[Place, DeadLetter]
) -> None:
    lake = played.lake()
    assert len(records) > EVENTS_SENT
    assert sorted(lake) == sorted(valid)
    assert sorted([*lake, *letters]) == sorted(records)


def test_every_corrupt_record_is_one_dead_letter_with_its_bytes_and_reason(
    records: dict[Place, bytes | None], valid: set[Place], letters: dict[Place, DeadLetter]
) -> None:
    for place, letter in letters.items():
        assert letter.value == records[place]
        assert letter.reason
    corrupt = set(records) - valid
    assert set(letters) == corrupt
    assert len(corrupt) > len(RULE_CASES) + len(BYTES_CASES)


def test_each_rule_makes_a_dead_letter_that_names_field_and_code(letters: dict[Place, DeadLetter]) -> None:
    about = [letter for letter in letters.values() if letter.key == b"rule"]
    found = sorted((letter.topic, letter.field, letter.error_class) for letter in about)
    assert found == sorted((EVENT_TOPICS[case.family].name, case.field, case.code) for case in RULE_CASES)


def test_each_way_to_mangle_bytes_makes_a_dead_letter_with_its_code(letters: dict[Place, DeadLetter]) -> None:
    about = [letter for letter in letters.values() if letter.key == b"bytes"]
    assert sorted(letter.error_class for letter in about) == sorted(case.code for case in BYTES_CASES)


@pytest.mark.parametrize("case", [case for case in RULE_CASES if case.over_http], ids=str)
def test_each_rule_is_refused_over_http_with_its_field_and_code(played: Pipeline, case: RuleCase) -> None:
    assert played.verdict(as_client(EVENTS[case.family](**case.overrides))) == (case.field, case.code)


@pytest.mark.parametrize("case", JSON_CASES, ids=str)
def test_what_only_json_can_get_wrong_is_refused_with_its_field_and_code(played: Pipeline, case: JsonCase) -> None:
    body = {k: v for k, v in (as_client(EVENTS[case.family]()) | case.change).items() if v is not ...}
    assert played.verdict(body) == (case.field, case.code)


def test_the_history_api_answers_with_the_newest_state(played: Pipeline) -> None:
    token = member_headers(played.settings, "http-2")
    answer = get(f"{played.settings.history_url}/v1/profiles/http-2/viewing-history", token).json()
    assert [item["playback_session_id"] for item in answer["items"]] == [SESSION.format(2)]
    assert answer["complete"] is True
    assert answer["next_cursor"] is None


def _curl_examples(page: str) -> list[str]:
    return re.findall(r"```sh\n(curl.*?)```", (ROOT / page).read_text(), re.DOTALL)


def test_the_curl_examples_for_a_first_event_work_as_written(played: Pipeline) -> None:
    send, read, wrong = _curl_examples("docs/get-started/send-events.md")
    assert _curl_examples("README.md") == [send, read]
    assert json.loads(_shell(played, send)) == {"accepted": 1, "rejected": []}
    eventually(lambda: bool(json.loads(_shell(played, read))["items"]))
    (item,) = json.loads(_shell(played, read))["items"]
    assert item["title"]["id"] == "ml-50"
    assert item["bookmark_ms"] == 658_000
    (rejected,) = json.loads(_shell(played, wrong))["rejected"]
    assert (rejected["field"], rejected["code"]) == ("query", "required")


def _shell(played: Pipeline, example: str) -> str:
    """What an example prints; the addresses in it are a demo's."""
    for process in PROCESSES:
        example = example.replace(str(PORT_BASES["demo"] + process.port), str(played.settings.process_port(process)))
    shell = ["bash", "-c", example]
    commands = os.environ | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    return subprocess.run(shell, check=True, capture_output=True, text=True, timeout=PATIENCE_S, env=commands).stdout


class TestTheLedger:
    """A command over all of it takes seconds: what else it notices is tried at once in ``test_tampering``."""

    def test_balances_after_a_roll_up_which_changes_no_history(self, played: Pipeline) -> None:
        played.drain()  # of what the examples sent
        rolled_up = playhead("compact", "--all", "--keep-live", "1")
        assert rolled_up.returncode == 0, rolled_up.stderr
        assert " published" in rolled_up.stdout
        assert played.histories() == played.expected_histories()
        ledger = playhead("ledger")
        assert ledger.returncode == 0, ledger.stdout
        assert "The ledger balances." in ledger.stdout

    def test_names_the_offset_of_a_record_appended_behind_its_back(self, played: Pipeline) -> None:
        played.stack.stop("lake")
        stranger = playback(
            event_id=EVENT.format(0xFFFF), profile_id="http-0", seq=2, playback_session_id=SESSION.format(9)
        )
        payload = pipeline_payload(Registry(played.settings).ids(), stranger)
        BulkProducer(played.settings).write([(EVENT_TOPICS["playback"].name, key(stranger).encode(), payload)])
        place = max(place for place, value in played.kafka().items() if value == payload)
        ledger = playhead("ledger")
        played.stack.start("lake")
        assert ledger.returncode == 1
        topic, partition, offset = place
        assert (
            f"records: {topic}[{partition}]: the lake ends at offset {offset}, Kafka at {offset + 1}" in ledger.stdout
        )
        assert f"events: {topic}[{partition}]@{offset}: event {stranger.event_id} is not in the lake" in ledger.stdout
