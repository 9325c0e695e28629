"""What ``playhead collector --dry-run`` says of the events of a client."""

import asyncio
import os
import signal
import subprocess
import sys
from typing import Any

import httpx
import pytest

from producers.collector.examples import SENT_AT
from producers.collector.explainer import Explainer
from producers.collector.responses import Reply
from producers.ports import Message
from schemas import codec, dead_letter
from schemas.errors import InvalidEvent
from schemas.events import Event, family, key
from schemas.framing import frame
from schemas.topics import DEAD_LETTERS, EVENT_TOPICS
from tests.support.builders import T0, playback, ui

FIRST, SECOND, THIRD = (f"01972a3e-8c00-7000-8000-00000000000{number}" for number in (1, 2, 3))
SESSION = playback().playback_session_id


def explained(*events: Event) -> tuple[list[str], Explainer]:
    said: list[str] = []
    explainer = Explainer(said.append)
    for event in events:
        message = Message(EVENT_TOPICS[family(event)].name, key(event).encode(), frame(0, codec.encode(event)))
        asyncio.run(explainer.publish([message]))
    return said, explainer


def state(event_id: str, seq: int, **others: Any) -> Event:
    return playback(event_id=event_id, seq=seq, **others)


def test_an_accepted_event_is_one_line() -> None:
    said, explainer = explained(playback(event_id=FIRST, seq=0, watched_ms=5, playhead_ms=7, title_id="ml-50"))
    assert said == ["accepted  playback  ml-50  seq 0  heartbeat, playing at 7 ms, watched 5 ms"]
    assert [*explainer.summary()] == ["1 accepted, 0 repeated, 0 refused, 0 problems"]
    assert explainer.satisfied


def test_a_retry_under_the_same_id_is_a_repeat_whenever_it_is_sent() -> None:
    said, explainer = explained(ui(event_id=FIRST, sent_at=T0), ui(event_id=FIRST, sent_at=T0 + 9))
    assert said[1] == f"repeated  ui  {FIRST}"
    assert explainer.satisfied


def replied(status: int, **content: Any) -> tuple[list[str], Explainer]:
    said: list[str] = []
    explainer = Explainer(said.append)
    explainer.replied(Reply(status, content))
    return said, explainer


def test_lines_of_cmcd_that_became_no_event_are_shown() -> None:
    refused = [{"line": 2, "code": "no_session", "message": "sid is missing."}]
    deviations = {"no_session": 1, "no_state": 3}
    said, explainer = replied(202, accepted=1, repeated=2, refused=refused, deviations=deviations)
    assert said == [
        "refused   line 2: sid is missing.  [no_session]",
        "deviation no_state, 3 of the lines",
        "repeated  2 of the lines",
    ]
    assert [*explainer.summary()] == ["0 accepted, 2 repeated, 1 refused, 0 problems"]
    assert not explainer.satisfied


def test_a_deviation_alone_is_no_reason_to_fail() -> None:
    _, explainer = replied(202, accepted=1, repeated=0, refused=[], deviations={"no_state": 1})
    assert explainer.satisfied


def test_a_request_that_nobody_read_is_shown() -> None:
    said, explainer = replied(401, code="unauthorized", message="Send a valid key.")
    assert said == ["refused   a request: Send a valid key.  [unauthorized]"]
    assert not explainer.satisfied


def test_events_that_are_not_the_sender_s_are_shown() -> None:
    entry = {"index": 0, "code": "not_yours", "message": "profile_id is 'victim'."}
    said, _ = replied(400, code="not_yours", message="No event was accepted.", rejected=[entry], server_time=T0)
    assert said == ["refused   profile_id is 'victim'.  [not_yours]"]


def test_what_has_a_dead_letter_is_shown_once() -> None:
    said, _ = replied(400, code="malformed", message="The body is not JSON.", server_time=T0)
    assert said == []


def test_a_refused_event_is_shown_with_its_reason() -> None:
    said: list[str] = []
    explainer = Explainer(said.append)
    letter = dead_letter.of_refused(InvalidEvent("out_of_range", "seq is -1.", "seq"), b"{}", None, T0)
    asyncio.run(explainer.publish([Message(DEAD_LETTERS.name, b"", frame(0, codec.encode(letter)))]))
    assert said == ["refused   seq is -1.  [out_of_range]"]
    assert not explainer.satisfied


@pytest.mark.parametrize(
    ("events", "problem"),
    [
        (
            (ui(event_id=FIRST, app_name="one"), ui(event_id=FIRST, app_name="two")),
            f"event {FIRST} came before with other content; give each event a new id",
        ),
        (
            (state(FIRST, 0), state(SECOND, 0)),
            f"seq 0 of session {SESSION} has another event, too",
        ),
        (
            (state(FIRST, 0, watched_ms=9), state(SECOND, 1, watched_ms=4)),
            f"session {SESSION}, seq 1: watched_ms fell from 9 to 4; send totals since play was pressed",
        ),
        (
            (state(SECOND, 1, seek_count=1), state(FIRST, 0, seek_count=2)),  # the older one arrives last
            f"session {SESSION}, seq 1: seek_count fell from 2 to 1; send totals since play was pressed",
        ),
        (
            (state(FIRST, 0, title_id="a"), state(SECOND, 1, title_id="b")),
            f"session {SESSION}, seq 1: title_id is 'b' and was 'a'; it stays the same in all events of a session",
        ),
    ],
)
def test_what_only_several_events_show_is_named(events: tuple[Event, ...], problem: str) -> None:
    said, explainer = explained(*events)
    assert [line for line in said if not line.startswith("accepted")] == [f"problem   {problem}"]
    assert not explainer.satisfied


def test_events_that_never_came_are_named_at_the_end() -> None:
    said, explainer = explained(state(FIRST, 1), state(SECOND, 1_000_000_000), state(THIRD, 3))
    assert [*explainer.summary()] == ["3 accepted, 0 repeated, 0 refused, 1 problems"]
    assert said[-1] == f"problem   session {SESSION}: seq 0, 2, 4 to 999999999 never came"


def test_the_command_needs_no_engine_and_fails_after_a_refused_event() -> None:
    base = int(os.environ.get("PLAYHEAD_PORT_BASE", "22000")) + 600
    variables = os.environ | {"PLAYHEAD_PORT_BASE": str(base)}
    command = [sys.executable, "-m", "infra.cli", "collector", "--dry-run"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=variables) as process:
        assert process.stdout
        lines = iter(process.stdout)
        url = next(lines).split()[1]
        body = {"sent_at": SENT_AT, "events": [{"family": "film"}]}
        answer = _posted(url, body)
        assert (answer.status_code, answer.json()["code"]) == (400, "unknown_family")
        process.send_signal(signal.SIGTERM)
        assert [line.split()[0] for line in lines] == ["refused", "0"]
    assert process.returncode == 1


def _posted(url: str, body: dict[str, Any]) -> httpx.Response:
    """Once the server listens, which is right after its first line."""
    with httpx.Client(
        transport=httpx.HTTPTransport(retries=8), headers={"Authorization": "Bearer playhead-local"}
    ) as client:
        return client.post(url, json=body)
