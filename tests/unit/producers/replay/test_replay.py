import json
from collections.abc import Sequence

import pytest

from producers.collector.examples import EXAMPLES, SENT_AT
from producers.replay.pending import Filter, mark, pending, read
from producers.replay.replay import Replay
from producers.replay.targets import CollectorTarget, TopicTarget
from schemas import avro, codec
from schemas.batch import BatchDecoder
from schemas.dead_letter import Origin, Position, of_record, of_refused
from schemas.errors import InvalidEvent, TransientError
from schemas.events import DeadLetter
from schemas.framing import frame
from tests.support.builders import playback

NOW = 1_700_000_500_000
DAY_MS = 24 * 60 * 60 * 1000
SCHEMA_ID, MISSING_ID, LETTER_ID = 2, 4, 8


def resolve(schema_id: int) -> avro.Schema:
    if schema_id == MISSING_ID:
        raise InvalidEvent("unknown_schema", "The registry does not know it.")
    return avro.schema("dead_letter" if schema_id == LETTER_ID else "playback")


def in_kafka(offset: int = 7, key: bytes | None = b"ml-1", schema_id: int = SCHEMA_ID) -> DeadLetter:
    """A record that was not readable when it was found; with the usual schema id it is now."""
    value = frame(schema_id, codec.encode(playback()))
    at = Position("playhead.playback", "topic-id", 0, offset)
    return of_record(InvalidEvent("unknown_schema", "The registry does not know it."), at, key, value, NOW)


def over_http(page: str = "home") -> DeadLetter:
    sent = json.dumps(EXAMPLES["ui"] | {"page": page}).encode()
    return of_refused(InvalidEvent("too_long", "page is too long.", "page"), sent, "playhead.ui", NOW, SENT_AT)


class World:
    """Kafka, the collector and the topic of dead letters."""

    def __init__(self) -> None:
        self.written: list[tuple[str, bytes, bytes]] = []
        self.posted: list[bytes] = []
        self.marks: list[DeadLetter] = []
        self.collector_away = False
        self.replay = Replay(
            TopicTarget(resolve, self.write), CollectorTarget(self.post, lambda: NOW + DAY_MS), self.mark
        )

    def write(self, messages: Sequence[tuple[str, bytes, bytes]]) -> None:
        self.written += messages

    def post(self, body: bytes, dry: bool) -> None:
        if self.collector_away:
            raise TransientError("away")
        if b'"page": ""' in body or body == b"{":
            raise InvalidEvent("empty", "page is empty.")
        if not dry:
            self.posted.append(body)

    def mark(self, dead_letter: DeadLetter) -> None:
        self.marks.append(mark(dead_letter, NOW))


def test_a_record_goes_to_its_topic_again_with_the_very_same_bytes() -> None:
    world, dead_letter = World(), in_kafka()

    tally = world.replay.run([dead_letter], dry=False)

    assert world.written == [("playhead.playback", b"ml-1", dead_letter.value)]
    assert tally == {("playhead.playback", "unknown_schema", "sent"): 1}


def test_a_record_that_had_no_key_gets_the_one_of_its_event() -> None:
    world = World()

    world.replay.run([in_kafka(key=None)], dry=False)

    assert world.written[0][1] == b"ml-1"


def test_a_refused_event_goes_through_the_collector_and_keeps_its_corrected_time() -> None:
    world = World()

    world.replay.run([over_http()], dry=False)

    [body] = map(json.loads, world.posted)
    assert body["events"] == [EXAMPLES["ui"]]
    assert body["sent_at"] == SENT_AT + DAY_MS  # refused at NOW, sent again a day later


@pytest.mark.parametrize(
    "sent", [b'{"sent_at": 1, "events": [], "batch_id": "7"}', b'{"sent_at": 1, "events": [1], "events": []}']
)
def test_a_body_with_a_foreign_or_repeated_field_is_not_sent_without_it(sent: bytes) -> None:
    world = World()

    world.replay.run([of_refused(InvalidEvent("unknown_field", ""), sent, None, NOW)], dry=False)

    assert world.posted == [sent], "the collector judges it as it was"


def of_member(sent: bytes, profile_id: str | None, sent_at: int | None = SENT_AT) -> DeadLetter:
    origin = Origin("member", "account-1", profile_id)
    return of_refused(InvalidEvent("too_long", ""), sent, "playhead.ui", NOW, sent_at, origin)


def test_a_member_s_event_keeps_its_account() -> None:
    world = World()

    world.replay.run([of_member(b'{"family": "ui", "profile_id": "me"}', "me")], dry=False)

    [body] = map(json.loads, world.posted)
    assert body["events"] == [{"family": "ui", "profile_id": "me", "account_id": "account-1"}]


@pytest.mark.parametrize(
    "dead_letter",
    [
        of_member(b'{"family": "ui", "profile_id": "victim"}', "me"),
        of_member(b'{"family": "ui", "profile_id": "me", "account_id": "account-2"}', "me"),
        of_member(b'{"family": "ui", "profile_id": "victim"}', None),
        of_member(b'{"family": "ui", "profile_id": "victim", "profile_id": "me"}', "me"),
        of_member(b'1],"events":[{"family": "ui", "profile_id": "victim"}', None),
        of_member(b'\xef\xbb\xbf{"sent_at": 1, "events": [{"profile_id": "victim"}]}', None, None),
        of_member(b'{"sent_at": 1, "events": [{"profile_id": "victim"}]}', None, None),
        of_member(b"[1]", None),
    ],
)
def test_our_key_sends_nothing_that_its_sender_could_not(dead_letter: DeadLetter) -> None:
    world = World()

    tally = world.replay.run([dead_letter], dry=False)

    assert (world.posted, world.marks) == ([], [])
    assert [*tally] == [("playhead.ui", "too_long", "still invalid")]


def test_what_would_die_again_is_left_alone() -> None:
    world = World()
    unreadable = of_refused(InvalidEvent("malformed", "The body is not JSON."), b"{", None, NOW)
    no_event = of_record(InvalidEvent("malformed", ""), Position("playhead.dead_letters", "id", 0, 1), None, b"x", NOW)

    tally = world.replay.run([in_kafka(schema_id=MISSING_ID), over_http(page=""), unreadable, no_event], dry=False)

    assert (world.written, world.posted, world.marks) == ([], [], [])
    assert tally == {
        ("playhead.playback", "unknown_schema", "still invalid"): 1,
        ("playhead.ui", "too_long", "still invalid"): 1,
        ("unknown", "malformed", "still invalid"): 1,
        ("playhead.dead_letters", "malformed", "still invalid"): 1,
    }


def test_a_dry_run_counts_and_sends_nothing() -> None:
    world = World()

    tally = world.replay.run([in_kafka(), over_http(), over_http(page="")], dry=True)

    assert (world.written, world.posted, world.marks) == ([], [], [])
    assert tally == {
        ("playhead.playback", "unknown_schema", "valid now"): 1,
        ("playhead.ui", "too_long", "valid now"): 1,
        ("playhead.ui", "too_long", "still invalid"): 1,
    }


def test_a_second_run_finds_nothing_to_do() -> None:
    world, dead_letters = World(), [in_kafka(), over_http()]
    world.replay.run(dead_letters, dry=False)

    assert pending([*dead_letters, *world.marks], Filter()) == []


def test_a_run_that_was_cut_off_goes_on_where_it_stopped() -> None:
    world, dead_letters = World(), [in_kafka(), over_http()]
    world.collector_away = True
    with pytest.raises(TransientError):
        world.replay.run(dead_letters, dry=False)

    assert pending([*dead_letters, *world.marks], Filter()) == [dead_letters[1]]


def test_what_is_refused_again_after_its_replay_waits_again() -> None:
    dead_letter = over_http()

    assert pending([dead_letter, mark(dead_letter, NOW), dead_letter], Filter()) == [dead_letter]


def test_repeats_of_a_dead_letter_are_one() -> None:
    assert pending([in_kafka(), over_http(), in_kafka()], Filter()) == [in_kafka(), over_http()]


@pytest.mark.parametrize(
    ("chosen", "offsets"),
    [
        (Filter(), [7, None]),
        (Filter(topic="playhead.playback"), [7]),
        (Filter(error_class="too_long"), [None]),
        (Filter(since=NOW), [7, None]),
        (Filter(since=NOW + 1), []),
    ],
)
def test_the_operator_chooses(chosen: Filter, offsets: list[int | None]) -> None:
    assert [dead_letter.offset for dead_letter in pending([in_kafka(), over_http()], chosen)] == offsets


def test_dead_letters_are_read_from_their_topic_and_what_is_none_is_passed_over() -> None:
    dead_letters = [in_kafka(), over_http(), mark(over_http(), NOW)]
    payloads: list[bytes | None] = [frame(LETTER_ID, codec.encode(dead_letter)) for dead_letter in dead_letters]

    assert list(read(BatchDecoder(resolve), [None, *payloads, b"rubbish"])) == dead_letters
