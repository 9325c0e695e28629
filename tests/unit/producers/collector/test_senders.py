"""Whose events a key or a token may send, and what becomes of the others."""

from typing import Any

import pytest
import structlog

from domain.identity.tokens import ACCOUNT_AGE_MS, PLAY_AGE_MS, Member, PlaySession, Staff
from domain.metrics import COLLECTOR_EVENTS, DEAD_LETTERS_MADE
from producers.collector.examples import EXAMPLES
from producers.collector.samples import Samples
from producers.collector.sender import Sender
from producers.collector.validation import Rejected
from schemas import codec
from schemas.errors import InvalidEvent
from schemas.events import Event
from schemas.framing import unframe
from tests.support.identity import headers, member
from tests.unit.producers.collector.conftest import NOW, REVOKED, Collector, event

SESSION = EXAMPLES["playback"]["playback_session_id"]
PUBLIC = {"Authorization": "Bearer signed-out"}
MINE = member("me", "account-1", ["kid"], NOW)
PLAY = PlaySession(SESSION, "account-1", "me", "ml-50", "device-1", NOW, NOW + PLAY_AGE_MS)


class Record:
    """Of the revocations."""

    def __init__(self, not_before: int, device: str | None = None, profile: str | None = None) -> None:
        self.account_id, self.device_id, self.profile_id, self.not_before = "account-2", device, profile, not_before


def signed_out(**changes: Any) -> dict[str, Any]:
    return event("ui", profile_id=None, account_id=None, **changes)


def own(example: str = "playback", **changes: Any) -> dict[str, Any]:
    return event(example, **{"profile_id": "me", "account_id": None} | changes)


def stored(collector: Collector, topic: str = "playhead.playback") -> list[Event]:
    found = [codec.decode(topic.partition(".")[2], unframe(message.value)[1]) for message in collector.on(topic)]
    return [each for each in found if isinstance(each, Event)]


async def test_a_public_key_sends_events_without_account_and_profile(collector: Collector) -> None:
    answer = await collector.post(signed_out(), headers=PUBLIC)

    assert (answer.status_code, answer.json()) == (202, {"accepted": 1, "rejected": []})
    assert [(each.account_id, each.profile_id) for each in stored(collector, "playhead.ui")] == [(None, None)]


@pytest.mark.parametrize(("field", "value"), [("profile_id", "victim"), ("account_id", "victim")])
async def test_a_public_key_sends_no_other_and_nobody_can_replay_it(
    collector: Collector, field: str, value: str
) -> None:
    answer = await collector.post(signed_out() | {field: value}, headers=PUBLIC)

    assert (answer.status_code, answer.json()["code"]) == (400, "not_yours")
    [rejected] = answer.json()["rejected"]
    assert (rejected["code"], rejected["field"]) == ("not_yours", field)
    assert collector.log.stored == []
    assert collector.metrics.by(COLLECTOR_EVENTS, "verdict") == {"not_yours": 1}
    assert collector.metrics.by(DEAD_LETTERS_MADE, "step") == {}


async def test_a_service_key_is_for_those_who_come_without_the_gateway(collector: Collector) -> None:
    outside = await collector.post(event(), headers={"X-Forwarded-For": "203.0.113.7"})
    public = await collector.post(signed_out(), headers=PUBLIC | {"X-Forwarded-For": "203.0.113.7"})
    inside = await collector.post(event())

    assert (outside.status_code, outside.json()["code"]) == (403, "service_key")
    assert (public.status_code, inside.status_code) == (202, 202)


async def test_a_member_sends_for_all_profiles_of_the_account_and_the_account_is_the_token_s(
    collector: Collector,
) -> None:
    answer = await collector.post(
        own(), own(profile_id="kid", account_id="account-1"), own("ui", profile_id=None), headers=headers(MINE)
    )

    assert (answer.status_code, answer.json()["accepted"]) == (202, 3)
    sent = stored(collector) + stored(collector, "playhead.ui")
    assert [(each.account_id, each.profile_id) for each in sent] == [
        ("account-1", "me"),
        ("account-1", "kid"),
        ("account-1", None),
    ]


@pytest.mark.parametrize(
    "foreign", [own(profile_id="victim"), own(account_id="account-2"), own(profile_id="victim", seq=-1)]
)
async def test_what_is_another_account_s_is_refused_alone_and_leaves_nothing(
    collector: Collector, foreign: dict[str, Any]
) -> None:
    answer = await collector.post(own(), foreign, headers=headers(MINE))

    assert (answer.status_code, answer.json()["accepted"]) == (202, 1)
    assert [each["code"] for each in answer.json()["rejected"]] == ["not_yours"]
    assert len(collector.log.stored) == 1
    assert collector.dead_letters() == []
    assert collector.metrics.by(COLLECTOR_EVENTS, "verdict") == {"accepted": 1, "not_yours": 1}


async def test_a_dead_letter_says_who_sent_it_and_for_which_profile(collector: Collector) -> None:
    await collector.post(own(profile_id="kid", seq=-1), headers=headers(MINE))
    await collector.post(content=b"no request", headers=headers(MINE))
    await collector.post(event(seq=-1, example="playback"))

    assert [(each.sender, each.account_id, each.profile_id) for each in collector.dead_letters()] == [
        ("member", "account-1", "kid"),
        ("member", "account-1", None),
        (None, None, None),
    ]


async def test_a_session_s_token_sends_events_of_that_session_and_profile_alone(collector: Collector) -> None:
    other = "01972a3e-8c00-7aaa-8aaa-000000000000"
    answer = await collector.post(
        own(),
        own(playback_session_id=other),
        own(profile_id="kid"),
        own("ui", playback_session_id=None),
        headers=headers(PLAY),
    )

    assert answer.json()["accepted"] == 1
    assert [(each["index"], each["code"], each["field"]) for each in answer.json()["rejected"]] == [
        (1, "not_yours", "playback_session_id"),
        (2, "not_yours", "profile_id"),
        (3, "not_yours", "playback_session_id"),
    ]
    assert [each.account_id for each in stored(collector)] == ["account-1"]


@pytest.mark.parametrize(
    ("claims", "code"),
    [
        (member("me", issued_at=NOW - 2 * PLAY_AGE_MS), "expired_token"),
        (PlaySession(SESSION, "account-1", "me", "ml-50", "tv", NOW - 2 * PLAY_AGE_MS, NOW + 1), "old_token"),
        (member("me", "account-2", issued_at=NOW - 1), "revoked_token"),
    ],
)
async def test_a_token_that_does_not_hold_any_more_is_a_401_that_says_why(
    collector: Collector, claims: Member, code: str
) -> None:
    REVOKED.take(Record(NOW))
    answer = await collector.post(own(), headers=headers(claims))

    assert (answer.status_code, answer.json()["code"]) == (401, code)
    assert "rejected" not in answer.json(), "so a client keeps its events"
    assert collector.log.stored == []


async def test_an_old_token_of_a_day_still_sends_what_waited(collector: Collector) -> None:
    old = member("me", issued_at=NOW - PLAY_AGE_MS + ACCOUNT_AGE_MS)
    assert (await collector.post(own(), headers=headers(old))).status_code == 202


async def test_staff_sends_events_with_the_scope_for_it(collector: Collector) -> None:
    ingest = Staff("importer", frozenset({"ingest"}), NOW, NOW + PLAY_AGE_MS)
    support = Staff("somebody", frozenset({"support"}), NOW, NOW + PLAY_AGE_MS)

    assert (await collector.post(event(), headers=headers(ingest))).status_code == 202
    refused = await collector.post(event(), headers=headers(support))
    assert (refused.status_code, refused.json()["code"]) == (403, "no_scope")


@pytest.mark.parametrize(
    ("origin", "status"),
    [("http://collector", 202), ("https://tv.example", 202), ("https://elsewhere.example", 401), (None, 401)],
)
async def test_a_browser_s_cookie_counts_on_our_own_pages(
    collector: Collector, origin: str | None, status: int
) -> None:
    cookie = headers(MINE)["Authorization"].replace("Bearer ", "playhead_member=")
    given = {"Authorization": "", "Cookie": cookie} | ({"Origin": origin} if origin else {})
    assert (await collector.post(own(), headers=given)).status_code == status


def test_the_log_has_a_sample_a_minute_and_how_many_there_were() -> None:
    times = iter((0.0, 0.0, 0.0, 1.0, 59.0, 61.0, 61.0))
    samples = Samples(lambda: next(times))
    rejected = Rejected(0, "id", "playback", "victim", InvalidEvent("not_yours", "", "profile_id"))
    with structlog.testing.capture_logs() as lines:
        for _ in range(4):
            samples.note(Sender("member", "account-1"), rejected)

    assert [(line["events"], line["account_id"], line["field"]) for line in lines] == [
        (1, "account-1", "profile_id"),
        (3, "account-1", "profile_id"),
    ]
    assert "victim" not in str(lines)
