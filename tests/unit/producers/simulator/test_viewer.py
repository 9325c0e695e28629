"""A playback session keeps its promises whatever happens in it."""

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from producers.simulator.catalogue import MINUTE_MS
from schemas.codec import decode, encode
from schemas.events import Playback
from tests.unit.producers.simulator.sessions import FILM, T0, session

seeds = st.integers(0, 2**32)
networks = st.sampled_from(("fibre", "cable", "mobile", "crowded"))
CUMULATIVE = ("watched_ms", "paused_ms", "rebuffer_count", "rebuffer_ms", "seek_count")


def types(events: list[Playback]) -> list[str]:
    return [event.event_type for event in events]


def many(to_ms: int = FILM.runtime_ms) -> list[list[Playback]]:
    return [session(seed, to_ms) for seed in range(60)]


@given(seeds, networks)
def test_seq_counts_from_zero_and_time_never_runs_back(seed: int, network: str) -> None:
    events = session(seed, network=network)
    assert [event.seq for event in events] == list(range(len(events)))
    assert all(a.client_time <= b.client_time for a, b in pairwise(events))
    assert len({event.event_id for event in events}) == len(events)


@given(seeds, networks)
def test_what_is_cumulative_never_falls(seed: int, network: str) -> None:
    for a, b in pairwise(session(seed, network=network)):
        assert all(getattr(a, name) <= getattr(b, name) for name in CUMULATIVE)
        assert not (a.error_fatal and not b.error_fatal)
        assert a.error_code is None or b.error_code is not None


@given(seeds, networks)
def test_no_more_is_watched_paused_and_stalled_than_time_has_passed(seed: int, network: str) -> None:
    for event in session(seed, network=network):
        spent = event.watched_ms + event.paused_ms + event.rebuffer_ms + (event.startup_time_ms or 0)
        assert spent <= event.client_time - T0


@given(seeds, networks)
def test_the_first_frame_comes_before_everything_but_the_request(seed: int, network: str) -> None:
    events = session(seed, network=network)
    assert events[0].event_type == "play_requested"
    if "first_frame" in types(events):
        assert types(events).index("first_frame") == 1
        assert all(event.startup_time_ms == events[1].client_time - T0 for event in events[1:])
    else:
        assert types(events)[1:] in (["error"], ["stopped"])
        assert events[-1].startup_time_ms is None
        assert events[-1].watched_ms == 0


@given(seeds, networks)
def test_a_session_ends_once_and_stays_ended(seed: int, network: str) -> None:
    events = session(seed, network=network)
    last = events[-1]
    assert last.player_state == "stopped"
    assert last.event_type in ("stopped", "ended") or last.error_fatal
    assert all(event.player_state != "stopped" for event in events[:-1])


@settings(max_examples=25)
@given(seeds, networks)
def test_every_event_is_valid(seed: int, network: str) -> None:
    for event in session(seed, network=network):
        assert decode("playback", encode(event)) == event


def test_ended_means_at_the_end() -> None:
    ends = [events[-1] for events in many() if events[-1].event_type == "ended"]
    assert len(ends) > 30
    assert {event.playhead_ms for event in ends} == {FILM.runtime_ms}


def test_who_leaves_early_stops_where_they_meant_to() -> None:
    stops = [events[-1] for events in many(20 * MINUTE_MS) if events[-1].event_type == "stopped"]
    in_time = [event for event in stops if event.playhead_ms >= 20 * MINUTE_MS]
    assert len(in_time) > 45
    assert all(event.playhead_ms < 25 * MINUTE_MS for event in in_time)  # a seek may overshoot


def test_heartbeats_come_at_their_interval_whatever_the_state() -> None:
    beats = [event.client_time for event in session(3, heartbeat_ms=10_000) if event.event_type == "heartbeat"]
    assert {b - a for a, b in pairwise(beats)} == {10_000}


def test_who_must_leave_does_so_in_time() -> None:
    leave_at = T0 + 60_000
    for seed in range(30):
        assert session(seed, leave_at=leave_at)[-1].client_time <= leave_at + 30_000


def test_everything_that_can_happen_happens() -> None:
    seen = {name for seed in range(60) for name in types(session(seed, network="crowded"))}
    assert seen == {
        *("play_requested", "first_frame", "heartbeat", "paused", "resumed", "seeked", "rebuffer_started"),
        *("rebuffer_ended", "quality_changed", "error", "stopped", "ended"),
    }


def test_a_worse_network_starts_later_and_stalls_more() -> None:
    def stalls(network: str) -> int:
        return sum(session(seed, network=network)[-1].rebuffer_count for seed in range(20))

    def startup(network: str) -> int:
        return sum(session(seed, network=network)[-1].startup_time_ms or 0 for seed in range(20))

    assert stalls("crowded") > 4 * stalls("cable")
    assert startup("crowded") > startup("cable")
