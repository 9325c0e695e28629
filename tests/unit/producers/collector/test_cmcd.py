"""CMCD over HTTP: each line is an event, a counted repeat or a counted deviation."""

import asyncio
from collections.abc import Callable, Iterator
from itertools import count
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.cmcd.plays import MOST_UNSETTLED, Play
from domain.identity.tokens import Claims, PlaySession
from domain.metrics import CMCD_DEVIATIONS, CMCD_LINES, CMCD_MISSING, CMCD_OUT_OF_ORDER, COLLECTOR_EVENTS
from producers.collector import cmcd as door
from producers.collector.explainer import Explainer
from producers.ports import Delivery, Message
from schemas import codec
from schemas.framing import unframe
from tests.support import cmcd
from tests.support.identity import headers, member
from tests.unit.producers.collector.conftest import NOW, SCHEMA_IDS, Collector, running, until

VIEWER = {"key": "secret", "profile_id": "me", "device_id": "tv", "player": "hls.js", "player_version": "1.7.4"}


async def post(collector: Collector, content: bytes, **changes: str) -> httpx.Response:
    query = urlencode({name: value for name, value in (VIEWER | changes).items() if value})
    headers = {"Content-Type": "application/cmcd", "Origin": "https://watch.example"}
    return await collector.client.post(f"/v1/cmcd?{query}", content=content, headers=headers)


def line(number: int, members: str = "e=t,sta=p", session: str = cmcd.SESSION) -> bytes:
    return f'cid="ml-50",{members},sid="{session}",sn={number},ts={NOW - 1000 + number},v=2\n'.encode()


def stored(collector: Collector) -> list[Any]:
    names = {number: name for name, number in SCHEMA_IDS.items()}
    framed = (unframe(message.value) for message in collector.log.stored)
    return [codec.decode(names[number], datum) for number, datum in framed]


def verdicts(collector: Collector) -> dict[str, float]:
    return {str(name): count for name, count in collector.metrics.by(CMCD_LINES, "verdict").items()}


@pytest.mark.parametrize("name", cmcd.NAMES)
async def test_every_line_of_a_real_player_is_an_event_or_a_counted_deviation(collector: Collector, name: str) -> None:
    for body in cmcd.bodies(name):
        assert (await post(collector, body)).status_code == 202

    counted = verdicts(collector)
    assert sum(counted.values()) == len(cmcd.lines(name))
    assert (
        counted.get("accepted", 0) == len(collector.log.stored) == len({event.event_id for event in stored(collector)})
    )
    assert counted.get("refused", 0) == (len(cmcd.lines(name)) if name == "dash.js-without-keys" else 0)
    assert collector.metrics.total(COLLECTOR_EVENTS) == len(collector.log.stored)
    assert collector.metrics.counts[CMCD_MISSING] == {}


async def test_bodies_that_come_twice_and_out_of_order_change_nothing(collector: Collector) -> None:
    bodies = cmcd.bodies("hls.js-play")
    for body in (bodies[1], bodies[0], *bodies[1:], bodies[3]):
        assert (await post(collector, body)).status_code == 202

    playback = [event for event in stored(collector) if event.__class__.__name__ == "Playback"]
    assert verdicts(collector) == {"accepted": 52, "repeated": 8}
    assert collector.metrics.total(CMCD_MISSING) == collector.metrics.total(CMCD_OUT_OF_ORDER) == 4
    assert (playback[-1].watched_ms, playback[-1].paused_ms, playback[-1].startup_time_ms) == (12_624, 1_006, 392)
    assert [event.seq for event in playback] == [*range(len(playback))]


async def test_a_browser_may_ask_before_it_sends(collector: Collector) -> None:
    asked = {
        "Origin": "https://watch.example",
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "content-type",
    }
    preflight = await collector.client.options("/v1/cmcd", headers=asked)
    answer = await post(collector, line(0))

    assert (preflight.status_code, preflight.headers["Access-Control-Allow-Headers"]) == (200, "content-type")
    assert answer.headers["Access-Control-Allow-Origin"] == "https://watch.example"
    assert answer.json() == {"accepted": 1, "repeated": 0, "refused": [], "deviations": {}}


@pytest.mark.parametrize("missing", ["profile_id", "device_id"])
async def test_who_watches_must_be_in_the_address(collector: Collector, missing: str) -> None:
    answer = await post(collector, line(0), **{missing: ""})
    assert (answer.status_code, answer.json()["code"], answer.json()["field"]) == (400, "missing", missing)


async def test_a_wrong_key_is_refused(collector: Collector) -> None:
    assert (await post(collector, line(0), key="wrong")).status_code == 401
    assert collector.log.stored == []


async def test_a_bad_line_costs_itself_and_is_named(collector: Collector) -> None:
    answer = await post(collector, line(0) + b"e=t,,\n\n" + line(1) + line(2, f"e=um,{'k' * 65}=1"))

    refused = answer.json()["refused"]
    assert (answer.json()["accepted"], [(each["line"], each["code"]) for each in refused]) == (
        2, [(1, "malformed"), (4, "refused")],
    )  # fmt: skip
    assert "fields" in refused[1]["message"]
    assert collector.metrics.by(CMCD_DEVIATIONS, "code") == {"malformed": 1, "refused": 1}


async def test_deviations_are_counted_by_player_and_version_of_a_bounded_set(collector: Collector) -> None:
    for index in range(door.MOST_VERSIONS + 5):
        await post(collector, line(index, "e=ps,sta=w"), player="dash.js", player_version=f"5.{index}.0")
    await post(collector, line(900, "e=ps,sta=w"), player="<script>", player_version="1.0")
    await post(collector, line(901, "e=ps,sta=w"), player_version="unknown")

    by_version = collector.metrics.by(CMCD_DEVIATIONS, "version")
    assert len(by_version) == door.MOST_VERSIONS + 1
    assert by_version["other"] == 7
    assert collector.metrics.by(CMCD_DEVIATIONS, "player") == {"dash.js": 55, "other": 1, "hls.js": 1}


async def test_numbers_that_begin_again_with_later_times_are_a_new_page(collector: Collector) -> None:
    await post(collector, line(0) + line(1))
    later = f'cid="ml-50",e=t,sta=p,sid="{cmcd.SESSION}",sn=0,ts={NOW},v=2\n'.encode()
    answer = await post(collector, later)

    assert answer.json() == {"accepted": 1, "repeated": 0, "refused": [], "deviations": {"numbers_restarted": 1}}
    assert len({event.event_id for event in stored(collector)}) == 3


async def test_what_kafka_did_not_confirm_is_published_again_and_is_no_repeat(
    collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(door, "RETRY_S", 0)
    answers: Iterator[Delivery] = iter(["unknown", "failed", "acknowledged"])
    collector.log.delivery = lambda _: next(answers)
    answer = await post(collector, line(0))

    assert answer.json()["accepted"] == 1
    assert verdicts(collector) == {"accepted": 1}


async def test_a_player_that_sends_again_after_503_has_its_event_once(
    collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(door, "RETRY_S", 60)
    collector.log.delivery = lambda _: "failed"
    first = await post(collector, line(0))
    collector.log.delivery = lambda _: "acknowledged"
    again = await post(collector, line(0))

    assert (first.status_code, first.headers["Retry-After"], again.json()["accepted"]) == (503, "5", 1)
    assert verdicts(collector) == {"unsettled": 1, "accepted": 1}
    assert [event.seq for event in stored(collector)][-1] == 0


async def test_of_an_outage_a_bounded_number_of_lines_is_kept_and_the_others_may_come_again(
    collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(door, "RETRY_S", 60)
    bodies = [b"".join(line(number) for number in range(first, first + 40)) for first in (0, 40)]
    collector.log.delivery = lambda _: "failed"
    for each in bodies:
        await post(collector, each)
    assert collector.metrics.total(CMCD_MISSING) == 80 - MOST_UNSETTLED
    collector.log.delivery = lambda _: "acknowledged"
    again = [(await post(collector, each)).json()["accepted"] for each in bodies]
    third = [(await post(collector, each)).json()["repeated"] for each in bodies]

    assert again == third == [40, 40]
    assert verdicts(collector) == {"unsettled": 80, "accepted": 80, "repeated": 80}
    assert len({event.event_id for event in stored(collector)}) == 80
    assert collector.metrics.total(CMCD_OUT_OF_ORDER) == 80 - MOST_UNSETTLED


async def test_deviations_of_a_repeat_are_not_counted_again(collector: Collector) -> None:
    for _ in range(3):
        await post(collector, line(0, "e=ps,sta=w"))
    assert collector.metrics.by(CMCD_DEVIATIONS, "code") == {"unknown_state": 1}


async def test_a_play_without_an_end_gets_410(collector: Collector, monkeypatch: pytest.MonkeyPatch) -> None:
    await post(collector, line(0))
    monkeypatch.setattr(Play, "over", lambda *_: True)
    answer = await post(collector, line(1))

    assert (answer.status_code, answer.json()["code"]) == (410, "session_over")
    assert verdicts(collector) == {"accepted": 1, "over": 1}


@pytest.mark.parametrize(
    "bad",
    ["br=(999999999999)", "com.playhead-pos=999999999999999", "sn=999999999999999", "ts=999999999999999", "rc=5000"],
)
async def test_a_value_that_cannot_be_costs_neither_its_line_nor_another(collector: Collector, bad: str) -> None:
    answer = await post(collector, line(0) + line(1).replace(b",v=2", f",{bad},v=2".encode()) + line(2))
    after = await post(collector, line(3))

    assert (answer.json()["accepted"], answer.json()["deviations"]) == (3, {"out_of_range": 1})
    assert after.json()["accepted"] == 1
    assert {event.bitrate_kbps for event in stored(collector)} == {None}


async def test_a_clock_that_is_set_during_a_play_ends_nothing(collector: Collector) -> None:
    text = 'cid="ml-50",e=ps,sta={},sid="tv",sn={},ts={},v=2\n'
    times = [1_000, 2_000, NOW - 500, NOW]
    for number, (state, time) in enumerate(zip("sppp", times, strict=True)):
        answer = await post(collector, text.format(state, number, time).encode())
        assert (answer.status_code, answer.json()["refused"]) == (202, [])

    assert verdicts(collector) == {"accepted": 4}
    assert [event.startup_time_ms for event in stored(collector)] == [None, 1_000, 1_000, 1_000]


async def test_a_dry_run_explains_and_stores_nothing(collector: Collector) -> None:
    answer = await post(collector, line(0, "e=ps,sta=w,br=96"), dry_run="true")

    assert (answer.status_code, answer.json()["deviations"]) == (200, {"not_a_list": 1, "unknown_state": 1})
    assert (collector.log.stored, verdicts(collector)) == ([], {})


@pytest.mark.parametrize("name", ["hls.js-play", "dash.js-play"])
async def test_the_events_of_a_real_play_satisfy_who_explains_them(collector: Collector, name: str) -> None:
    for body in cmcd.bodies(name):
        await post(collector, body)
    explainer = Explainer(lambda _: None)
    await explainer.publish(collector.log.stored)

    assert [*explainer.summary()] == [f"{len(cmcd.lines(name))} accepted, 0 repeated, 0 refused, 0 problems"]


async def test_a_gap_is_counted_at_once_and_so_is_what_fills_it(collector: Collector) -> None:
    await post(collector, line(0) + line(3))
    await post(collector, line(2), player="dash.js")

    assert collector.metrics.by(CMCD_MISSING, "player") == {"hls.js": 2}
    assert collector.metrics.by(CMCD_OUT_OF_ORDER, "player") == {"dash.js": 1}


async def test_a_number_without_end_is_no_gap(collector: Collector) -> None:
    await post(collector, line(0) + line(0).replace(b"sn=0", b"sn=999999999999999"))
    assert collector.metrics.counts[CMCD_MISSING] == {}


async def test_all_refused_lines_are_counted_and_the_first_are_explained(collector: Collector) -> None:
    answer = await post(collector, b"e=t\n" * 250 + line(0))

    assert ([each["line"] for each in answer.json()["refused"]], answer.json()["accepted"]) == ([*range(100)], 1)
    assert verdicts(collector) == {"refused": 250, "accepted": 1}


async def test_during_a_long_body_others_have_their_turn(collector: Collector) -> None:
    long = asyncio.create_task(post(collector, b"".join(line(number) for number in range(1_000))))
    await until(lambda: len(collector.log.stored) > 0)
    await post(collector, line(0, session="other"))
    before = len(collector.log.stored)

    assert (await long).json()["accepted"] == 1_000
    assert before < 1_001 == len(collector.log.stored)


async def test_of_a_long_body_what_was_stored_is_a_repeat_if_it_comes_again(
    collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(door, "RETRY_S", 60)
    published: Iterator[int] = count()
    collector.log.delivery = lambda _: "failed" if next(published) // door.PIECE == 1 else "acknowledged"
    lines = b"".join(line(number) for number in range(3 * door.PIECE))
    first, again = await post(collector, lines), await post(collector, lines)

    assert (first.status_code, again.json()["accepted"], again.json()["repeated"]) == (503, 100, 50)
    assert verdicts(collector) == {"accepted": 150, "unsettled": 50, "repeated": 50}
    assert collector.metrics.by(COLLECTOR_EVENTS, "verdict") == {"accepted": 150, "unsettled": 50}
    assert len({event.event_id for event in stored(collector)}) == 150


def stores(_: Message) -> Delivery:
    return "acknowledged"


def fails(_: Message) -> Delivery:
    return "failed"


GARBAGE = st.sampled_from([b"e=t,,", b"\xff", b"e=t", b'sid="s"', b"a=(" * 9, b'e=t,sid="s",ts=9', b"x" * 9_000])
LINES = GARBAGE | st.builds(
    lambda number, members, session: line(number, members, session).rstrip(),
    st.integers(0, 9) | st.integers(250, 300),
    st.sampled_from(["e=t", "e=ps,sta=p", "e=ps,sta=a,ts=1", "e=rr,rc=404", "e=zz,x=(1 2)", "e=e,ec=25,br=99999999"]),
    st.sampled_from([cmcd.SESSION, "other"]),
)


@given(st.lists(st.tuples(st.lists(LINES, max_size=6), st.sampled_from([stores, fails])), max_size=6))
@settings(deadline=None)
async def test_each_line_is_an_event_a_repeat_or_refused_whatever_comes(
    requests: list[tuple[list[bytes], Callable[[Message], Delivery]]],
) -> None:
    async with running(10.0, SCHEMA_IDS) as collector:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(door, "RETRY_S", 60)
            for lines, delivery in requests:
                collector.log.delivery = delivery
                await post(collector, b"\n".join(lines))

        counted, events = verdicts(collector), collector.metrics.by(COLLECTOR_EVENTS, "verdict")
        assert sum(counted.values()) == sum(len(lines) for lines, _ in requests)
        assert counted.get("accepted", 0) == events.get("accepted", 0) == len(collector.log.stored)


@pytest.mark.parametrize(
    ("issued_at", "expires_at", "code"), [(NOW - 1000, NOW - 1, "expired_token"), (1, NOW + 1, "old_token")]
)
async def test_a_player_whose_token_ends_gets_410(
    collector: Collector, issued_at: int, expires_at: int, code: str
) -> None:
    play = PlaySession(cmcd.SESSION, "account-1", "me", "ml-50", "tv", issued_at, expires_at)
    answer = await post(collector, line(0), key=of(play), profile_id="")

    assert (answer.status_code, answer.json()["code"]) == (410, code)


def of(claims: Claims) -> str:
    return headers(claims)["Authorization"].removeprefix("Bearer ")


async def test_a_member_s_player_reports_for_the_account_s_profiles_alone(collector: Collector) -> None:
    token = of(member("me", "account-1", issued_at=NOW))
    own = await post(collector, line(0), key=token)
    foreign = await post(collector, line(1), key=token, profile_id="victim")
    nobody = await post(collector, line(2), key="signed-out")

    assert [each.status_code for each in (own, foreign, nobody)] == [202, 403, 403]
    assert foreign.json()["code"] == nobody.json()["code"] == "not_yours"
    assert [(each.account_id, each.profile_id) for each in stored(collector)] == [("account-1", "me")]


async def test_a_session_s_token_in_the_address_reports_that_session_alone(collector: Collector) -> None:
    play = PlaySession(cmcd.SESSION, "account-1", "me", "ml-50", "tv", NOW, NOW + 1000)
    other = "01972a3e-8c00-7aaa-8aaa-000000000000"
    answer = await post(collector, line(0) + line(1, session=other), key=of(play), profile_id="")

    assert answer.json()["accepted"] == 1
    assert [each["line"] for each in answer.json()["refused"]] == [1]
    assert [(each.playback_session_id, each.profile_id) for each in stored(collector)] == [(cmcd.SESSION, "me")]


async def test_a_session_s_token_reports_also_the_later_lines_of_a_play(collector: Collector) -> None:
    play = PlaySession(cmcd.SESSION, "account-1", "me", "ml-50", "tv", NOW, NOW + 1000)
    answer = await post(collector, b"".join(line(number) for number in range(40)), key=of(play), profile_id="")
    assert answer.json()["refused"] == []


async def test_who_knows_another_s_session_spoils_none_of_its_sums(collector: Collector) -> None:
    await post(collector, line(1, "e=ps,sta=p"), profile_id="stranger")
    answer = await post(collector, line(1, "e=ps,sta=p"))

    assert (answer.json()["accepted"], answer.json()["repeated"]) == (1, 0)
