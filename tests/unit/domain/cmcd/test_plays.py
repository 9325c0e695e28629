"""What real plays of real players become."""

from dataclasses import replace
from typing import Any

from domain.cmcd.line import MOST_LINES, read
from domain.cmcd.plays import MOST_PLAYS, Play, Plays, Viewer, event_id, event_of, sent_at, session_id
from domain.media.path_token import PathToken
from tests.support import cmcd

VIEWER = Viewer("me", "tv", "tv", "web", "1.0", "NL", "film", "hls.js", "", True)
NOW = 1_796_025_100_000


def events(name: str, viewer: Viewer = VIEWER) -> list[dict[str, Any]]:
    play = Play(cmcd.SESSION, NOW)
    return [event_of(read(text), play, viewer, NOW)[0] for text in cmcd.lines(name)]


def of(*lines: str, viewer: Viewer = VIEWER) -> list[dict[str, Any]]:
    play = Play(cmcd.SESSION, NOW)
    return [event_of(read(f'sid="s",v=2,{text}'), play, viewer, NOW)[0] for text in lines]


def playback(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [event for event in found if event["family"] == "playback"]


def test_a_play_of_hls_js_is_told_from_request_to_end() -> None:
    play = playback(events("hls.js-play"))

    assert [event["event_type"] for event in play if event["event_type"] != "heartbeat"] == [
        "play_requested", "first_frame", "paused", "resumed", "seeked", "seeked", "ended",
    ]  # fmt: skip
    assert [event["seq"] for event in play] == [*range(len(play))]
    last = play[-1]
    assert (last["startup_time_ms"], last["paused_ms"], last["rebuffer_count"]) == (392, 1_006, 0)
    assert (last["seek_count"], last["player_state"], last["watched_ms"]) == (2, "stopped", 12_624)
    assert (last["title_id"], last["bitrate_kbps"], last["playhead_ms"], last["error_fatal"]) == (
        "ml-50",
        998,
        0,
        False,
    )


def test_a_play_of_dash_js_gives_nearly_the_same() -> None:
    last = playback(events("dash.js-play"))[-1]

    assert (last["startup_time_ms"], last["paused_ms"], last["rebuffer_count"]) == (151, 1_014, 0)
    assert (last["seek_count"], last["player_state"], last["watched_ms"]) == (2, "stopped", 12_873)


def test_a_response_is_measured_by_its_first_byte() -> None:
    measured = [event for event in events("hls.js-play") if event["family"] == "performance"]

    assert len(measured) == 27
    assert (measured[0]["metric"], measured[0]["value"], measured[0]["unit"]) == ("segment_first_byte", 13.0, "ms")
    assert {event["metric"] for event in events("dash.js-play") if event["family"] == "performance"} == {
        "manifest_last_byte", "init_last_byte", "segment_last_byte",
    }  # fmt: skip


def test_a_manifest_that_is_missing_is_a_failure_where_the_player_says_so() -> None:
    last = playback(events("hls.js-missing-manifest"))[-1]
    assert (last["error_code"], last["error_fatal"], last["player_state"]) == (
        "hls.js.manifestLoadError",
        True,
        "stopped",
    )

    dash = events("dash.js-missing-manifest")
    assert [event["code"] for event in dash if event["family"] == "error"] == ["http.404"] * 4
    assert [event["error_code"] for event in playback(dash)][-1] == "hls.js.25"


def test_a_failure_without_a_code_is_none_while_the_picture_moves() -> None:
    [*_, error, last] = of("e=ps,sta=s,ts=1", "e=ps,sta=p,ts=2", "e=e,sta=f,ts=3", "e=t,sta=p,ts=1003")
    assert (error["event_type"], error["error_fatal"], error["player_state"]) == ("error", False, "playing")
    assert (last["error_code"], last["error_fatal"], last["watched_ms"]) == ("hls.js.unspecified", False, 1_001)


def test_an_own_key_gives_the_position() -> None:
    [event] = of("e=t,ts=1,com.playhead-pos=61000")
    assert event["playhead_ms"] == 61_000


def test_with_an_sdk_only_the_network_is_reported() -> None:
    viewer = Viewer("me", "tv", "tv", "web", "1.0", "NL", "film", "hls.js", "", False)
    families = {event["family"] for event in events("hls.js-play", viewer)}
    assert families == {"performance", "diagnostic"}
    [error] = of('e=e,ec=("x"),sta=f,ts=1', viewer=viewer)
    assert (error["family"], error["code"], error["fatal"]) == ("error", "hls.js.x", True)


def test_an_address_is_in_no_event() -> None:
    token = "http://127.0.0.1:7080"
    for name in ("hls.js-play", "dash.js-play"):
        assert [event for event in events(name) if token in str(event)] == []
    [event] = of(f'e=m,url="{token}/x",ts=1')
    assert event["fields"] == {"playback_session_id": cmcd.SESSION}
    path = PathToken("v1", cmcd.SESSION, 1, 1).signed("key", b"secret")
    [event] = of(f'e=m,com.example-next="http://edge/t/{path}/v1/q1/1.m4s",ts=1')
    assert event["fields"]["com.example-next"] == "http://edge/t/…/v1/q1/1.m4s"


def test_a_line_has_one_id_and_another_line_another() -> None:
    first, again, other = (read(f'e=t,sid="s",v=2,ts={time},sn={sn}') for time, sn in ((1, 1), (1, 1), (2, 1)))
    assert event_id(first, VIEWER, "") == event_id(again, VIEWER, "")
    assert event_id(first, VIEWER, "") != event_id(other, VIEWER, "")


def test_two_profiles_have_two_ids_for_the_same_line() -> None:
    line, other = read('e=t,sid="1",sn=0,ts=1,v=2'), replace(VIEWER, profile_id="somebody")
    assert event_id(line, VIEWER, "") != event_id(line, other, "")
    assert session_id(line, VIEWER) != session_id(line, other)


def test_a_play_that_began_elsewhere_gets_an_id_of_its_part() -> None:
    plays = Plays()
    begun = plays.of(read(f'e=t,sid="{cmcd.SESSION}",sn=3'), VIEWER, NOW)
    joined = Plays().of(read(f'e=t,sid="{cmcd.SESSION}",sn=300'), VIEWER, NOW)
    foreign = plays.of(read('e=t,sid="of-another-kind",sn=0'), VIEWER, NOW)
    assert begun.session == cmcd.SESSION
    assert joined.session not in (cmcd.SESSION, foreign.session)
    assert foreign.session[14] == "5"


def test_the_profile_without_news_for_longest_is_forgotten() -> None:
    plays, line = Plays(most=2), read('e=t,sid="a",sn=0')
    viewers = [replace(VIEWER, profile_id=name) for name in ("a", "b", "c")]
    first, second = (plays.of(line, each, NOW) for each in viewers[:2])
    assert plays.of(line, viewers[0], NOW) is first
    plays.of(line, viewers[2], NOW)
    assert plays.of(line, viewers[0], NOW) is first
    assert plays.of(line, viewers[1], NOW) is not second


def test_who_begins_many_plays_makes_us_forget_his_own_alone() -> None:
    plays, line = Plays(), read('e=t,sid="mine",sn=0')
    mine, of_many = plays.of(line, VIEWER, NOW), replace(VIEWER, profile_id="many")
    first = plays.of(read('e=t,sid="0"'), of_many, NOW)
    for number in range(1, MOST_PLAYS + 1):
        plays.of(read(f'e=t,sid="{number}"'), of_many, NOW)
    assert plays.of(line, VIEWER, NOW) is mine
    assert plays.of(read('e=t,sid="0"'), of_many, NOW) is not first


def test_a_play_is_over_after_a_day_by_our_clock_or_two_hundred_thousand_lines() -> None:
    assert not Play("s", since=1, newest_at=10**12).over(86_400_001)
    assert Play("s", since=1).over(86_400_002)
    assert Play("s", since=1, lines=MOST_LINES).over(1)


def test_a_clock_that_is_wrong_by_hours_is_corrected_by_the_newest_line() -> None:
    lines = [read(f'e=t,sid="s",ts={time}') for time in (NOW - 7_200_000, NOW - 7_200_500)]
    assert sent_at(lines, NOW) == NOW - 7_200_000
    assert sent_at(lines[:0], NOW) == NOW
    assert sent_at([read(f'e=t,sid="s",ts={NOW - 60_000}')], NOW) == NOW
