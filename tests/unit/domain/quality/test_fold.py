"""The fold over one partition's log: what each event adds, and when a session is finalized."""

import tracemalloc
from typing import Any

import msgspec
import polars as pl

from domain.quality.figures import Figures
from domain.quality.fold import Fold
from domain.quality.state import Session, State, decoded, encoded
from schemas.events import Playback
from tests.support.builders import T0, playback
from tests.support.quality_oracle import MINUTE, columns

HOUR = 60 * MINUTE
TV = ("device", "tv", "1.0.0")
START_MINUTE = T0 // MINUTE


def at(ms: int, number: int = 1, **changes: Any) -> Playback:
    """An event this long after T0, received at once, of session ``number``, which began at T0."""
    now = T0 + ms
    times = {"client_time": now, "sent_at": now, "received_at": now, "event_time": now}
    names = {"playback_session_id": f"018bcfe5-6800-7000-8000-{number:012d}"}
    started = {"watched_ms": 0, "startup_time_ms": 900 if changes.get("watched_ms") else None}
    return playback(**(names | times | started | changes))


def requested(ms: int = 0, number: int = 1, **changes: Any) -> Playback:
    return at(ms, number, **({"seq": 0, "event_type": "play_requested", "player_state": "starting"} | changes))


def fold(*events: Playback) -> Fold:
    return fold_of(columns(events))


def fold_of(events: pl.DataFrame) -> Fold:
    made = Fold(State(), HOUR)
    made.add(events, 0, len(events) - 1)
    made.changes()
    return made


def go_on(made: Fold, *events: Playback) -> None:
    offset = made.state.offset
    made.add(columns(events), offset + 1, offset + len(events))
    made.changes()


def total(made: Fold) -> Figures:
    return made.state.totals[TV]


def pass_time(made: Fold, ms: int) -> None:
    """Another session, on another device, is heard of."""
    go_on(made, requested(ms, 99, session_started_at=T0 + ms, device_type="phone"))


def test_a_view_counts_when_play_is_pressed_and_a_start_when_the_first_frame_is_seen() -> None:
    made = fold(requested())
    assert (total(made).views, total(made).starts) == (1, 0)
    go_on(made, at(2_000, seq=1, event_type="first_frame", startup_time_ms=1_900))
    assert (total(made).views, total(made).starts, total(made).startup_ms) == (1, 1, 1_900)
    assert total(made).startups == (0, 0, 0, 0, 0, 0, 1, *[0] * 12)


def test_a_session_counts_under_each_of_its_labels_and_never_under_two_at_once() -> None:
    assert set(fold(requested()).state.totals) == {TV, ("country", "NL"), ("title_class", "film")}


def test_a_later_event_adds_its_increase() -> None:
    made = fold(
        requested(),
        at(30_000, seq=1, watched_ms=28_000, startup_time_ms=900, rebuffer_count=1, rebuffer_ms=400),
        at(60_000, seq=2, watched_ms=57_000, startup_time_ms=900, rebuffer_count=2, rebuffer_ms=900),
    )
    assert (total(made).playing_ms, total(made).rebuffers, total(made).rebuffer_ms) == (57_000, 2, 900)


def test_repeated_or_older_events_add_nothing() -> None:
    older, newer = at(30_000, seq=1, watched_ms=28_000), at(60_000, seq=2, watched_ms=57_000)
    made = fold(requested(), newer, older, newer, requested())
    assert (total(made).views, total(made).playing_ms) == (1, 57_000)
    assert made.state.late == 0


def test_an_event_counts_in_its_own_minute() -> None:
    late = at(70_000, seq=1, watched_ms=28_000, event_time=T0 + 30_000)
    made = fold(requested(), late, at(130_000, seq=2, watched_ms=88_000))
    minutes = {minute: made.state.minutes[minute][TV].playing_ms for minute in made.state.minutes}
    assert minutes == {(T0 + 30_000) // MINUTE: 28_000, (T0 + 130_000) // MINUTE: 60_000}


def test_a_viewer_counts_once_a_minute_and_not_while_paused() -> None:
    made = fold(
        *(at(ms, seq=n, watched_ms=ms) for n, ms in enumerate((0, 10_000, 40_000, 75_000))),
        at(140_000, seq=4, player_state="paused", event_type="paused"),
    )
    assert total(made).viewers == len({(T0 + ms) // MINUTE for ms in (0, 10_000, 40_000, 75_000)})
    assert made.viewers(made.state.log_time)[TV] == 0


def test_current_viewers_were_heard_recently() -> None:
    made = fold(at(0, 1, seq=0), at(0, 2, seq=0), at(100_000, 2, seq=1))
    assert made.viewers(made.state.log_time)[TV] == 2
    pass_time(made, 150_000)
    assert made.viewers(made.state.log_time)[TV] == 1


def test_an_older_event_does_not_restore_a_viewer() -> None:
    made = fold(requested(), at(20_000, seq=2, player_state="paused"), at(21_000, seq=1, player_state="playing"))
    assert made.viewers(made.state.log_time)[TV] == 0


def test_after_a_stall_of_five_minutes_a_session_is_no_viewer() -> None:
    stalled: dict[str, Any] = {"player_state": "rebuffering", "rebuffer_count": 1, "startup_time_ms": 900}
    made = fold(at(0, seq=0, state_since_ms=300_000, **stalled))
    assert made.viewers(made.state.log_time)[TV] == 1
    go_on(made, at(30_000, seq=1, state_since_ms=330_000, **stalled))
    assert made.viewers(made.state.log_time)[TV] == 0


def test_a_fatal_error_is_a_failure_once() -> None:
    failed: dict[str, Any] = {
        "error_fatal": True,
        "error_code": "drm",
        "event_type": "error",
        "player_state": "stopped",
    }
    made = fold(requested(), at(900, seq=1, **failed), at(950, seq=2, **failed | {"event_type": "stopped"}))
    assert (total(made).failures, total(made).exits_before_start) == (1, 0)


def test_an_exit_before_the_start_counts_immediately_and_scores_when_it_is_finalized() -> None:
    made = fold(requested(), at(4_000, seq=1, event_type="stopped", player_state="stopped"))
    assert (total(made).exits_before_start, total(made).settled_views) == (1, 0)
    pass_time(made, 7 * MINUTE)
    settled = total(made)
    assert (settled.settled_views, settled.success_scored_views, settled.success_score) == (1, 1, 50_000)
    assert settled.exits_before_start == 1


def test_an_exit_within_a_second_has_no_success_score() -> None:
    made = fold(requested(), at(900, seq=1, event_type="stopped", player_state="stopped"))
    pass_time(made, 7 * MINUTE)
    assert (total(made).exits_before_start, total(made).success_scored_views) == (1, 0)


def test_a_session_that_vanishes_before_the_start_has_exited() -> None:
    made = fold(requested())
    pass_time(made, HOUR + 4 * MINUTE)
    assert total(made).exits_before_start == 0
    pass_time(made, HOUR + 7 * MINUTE)
    assert (total(made).exits_before_start, total(made).success_score) == (1, 50_000)


def test_a_stopped_session_is_finalized_after_its_grace_and_later_events_are_late() -> None:
    made = fold(requested(), at(60_000, seq=1, event_type="stopped", watched_ms=58_000, startup_time_ms=900))
    pass_time(made, 5 * MINUTE)
    go_on(made, at(5 * MINUTE, seq=2, watched_ms=59_000, startup_time_ms=900, event_type="stopped"))
    assert (total(made).settled_views, total(made).playing_ms) == (0, 59_000)
    pass_time(made, 12 * MINUTE)
    late = at(12 * MINUTE, seq=3, watched_ms=70_000, startup_time_ms=900, event_time=T0 + 6 * MINUTE)
    go_on(made, late, requested())
    assert (total(made).settled_views, total(made).playing_ms, total(made).views) == (1, 59_000, 1)
    assert made.state.late == 2


def test_an_event_within_the_grace_keeps_the_session_open() -> None:
    made = fold(requested(), at(0, seq=1, event_type="stopped"), at(MINUTE, seq=2, watched_ms=1_000))
    pass_time(made, 30 * MINUTE)
    assert total(made).settled_views == 0


def test_an_event_of_a_possibly_forgotten_session_is_late() -> None:
    made = fold(requested())
    pass_time(made, 3 * HOUR)
    assert len(made.state.settled) == 0, "it was forgotten meanwhile"
    go_on(made, at(3 * HOUR, seq=7, watched_ms=9 * MINUTE, event_time=T0 + 2 * HOUR))
    assert (total(made).views, made.state.late) == (1, 1)


def test_a_view_that_goes_on_after_a_pause_of_hours_is_the_same_view_and_its_failure_counts() -> None:
    minutes = [at(n * MINUTE, seq=n, watched_ms=n * MINUTE) for n in range(11)]
    made = fold(*minutes, at(10 * MINUTE, seq=11, event_type="paused", player_state="paused", watched_ms=10 * MINUTE))
    for hour in (1, 2, 3):
        pass_time(made, hour * HOUR)
    assert (total(made).settled_views, len(made.state.sessions)) == (1, 1)
    back = 3 * HOUR + 10 * MINUTE
    resumed = at(back, seq=12, event_type="resumed", watched_ms=10 * MINUTE)
    rest = [at(back + n * MINUTE, seq=12 + n, watched_ms=(10 + n) * MINUTE) for n in range(1, 31)]
    broken: dict[str, Any] = {
        "event_type": "error",
        "error_fatal": True,
        "error_code": "drm",
        "player_state": "stopped",
    }
    failed = at(back + 30 * MINUTE + 1, seq=43, watched_ms=40 * MINUTE, **broken)
    go_on(made, resumed, *rest)
    assert made.viewers(made.state.log_time)[TV] == 1
    go_on(made, failed, failed)
    pass_time(made, 5 * HOUR)
    figures = total(made)
    assert (figures.views, figures.starts, figures.playing_ms, figures.failures) == (1, 1, 40 * MINUTE, 1)
    assert (figures.settled_views, figures.events_lost, made.state.late) == (1, 0, 0)


def test_a_failure_that_is_the_first_event_after_the_pause_counts_and_one_that_is_repeated_does_not() -> None:
    fatal: dict[str, Any] = {"error_fatal": True, "error_code": "drm", "player_state": "stopped"}
    made = fold(requested(), at(MINUTE, seq=1, watched_ms=1_000))
    pass_time(made, 3 * HOUR)
    go_on(made, at(3 * HOUR, seq=2, watched_ms=1_000, event_type="error", **fatal))
    assert total(made).failures == 1
    pass_time(made, 4 * HOUR)
    go_on(made, at(4 * HOUR, seq=3, watched_ms=1_000, event_type="stopped", **fatal))
    assert total(made).failures == 1


def test_a_view_that_reports_its_failure_every_few_hours_is_one_failure() -> None:
    fatal: dict[str, Any] = {"event_type": "error", "error_fatal": True, "error_code": "drm", "player_state": "stopped"}
    made = fold(requested(), at(MINUTE, seq=1, **fatal))
    for hour in range(3, 48, 5):
        pass_time(made, hour * HOUR)
        go_on(made, at(hour * HOUR, seq=1 + hour, **fatal))
    assert (total(made).views, total(made).failures, made.state.late) == (1, 1, 0)
    pass_time(made, 80 * HOUR)
    assert made.state.failed == {}, "it is forgotten a day after its last event"


def test_a_client_clock_wrong_by_hours_makes_no_session_late() -> None:
    pass_time(made := fold(), 3 * HOUR)
    behind = 3 * HOUR - 2_000
    go_on(made, at(3 * HOUR, client_time=T0 + 2_000, session_started_at=T0, seq=1, watched_ms=1_000), at(behind))
    assert (total(made).views, made.state.late) == (1, 0)


def test_gaps_are_lost_events_once_the_session_is_finalized() -> None:
    made = fold(*(at(n * 1000, seq=n) for n in (0, 1, 5, 3, 9)), at(9_500, seq=10, event_type="stopped"))
    assert total(made).events_lost == 0
    pass_time(made, 7 * MINUTE)
    assert (total(made).events_expected, total(made).events_lost) == (11, 5)


def test_counters_of_a_hostile_client_never_decrease() -> None:
    made = fold(at(0, seq=1, watched_ms=50_000), at(1_000, seq=2, watched_ms=10), at(2_000, seq=3, watched_ms=51_000))
    assert total(made).playing_ms == 51_000


def test_old_minutes_leave_the_state_after_they_were_returned() -> None:
    made = fold(requested())
    made.add(columns([requested(3 * HOUR, 2, session_started_at=T0 + 3 * HOUR)]), 1, 1)
    changed = {(one.minute, one.label): one.figures for one in made.changes()}
    assert set(made.state.minutes) == {START_MINUTE + 180}
    assert changed[START_MINUTE, TV].exits_before_start == 1, "the vanished session settled in its last minute"
    assert changed[START_MINUTE, TV].views == 1


def test_unstored_changes_are_returned_again() -> None:
    made = Fold(State(), HOUR)
    made.add(columns([requested()]), 0, 0)
    first = made.changes()
    assert made.changes() == []
    made.put_back(first)
    assert made.changes() == first


def test_records_that_expired_in_kafka_are_counted() -> None:
    made = fold(requested())
    made.add(columns([]), 5, 6)
    assert (made.state.missed, made.state.offset) == (4, 6)


def test_a_view_counts_at_most_as_long_as_its_session_can_have_lasted() -> None:
    year = 366 * 24 * HOUR
    made = fold(requested(), at(MINUTE, seq=1, watched_ms=year, rebuffer_count=10**6, rebuffer_ms=MINUTE))
    assert (total(made).playing_ms, total(made).rebuffer_ms) == (5 * MINUTE, MINUTE)
    assert total(made).rebuffers == 1000 + 6 * 60 * 20


def test_an_honest_session_keeps_what_an_offline_client_sends_later() -> None:
    late = at(50 * MINUTE, seq=1, watched_ms=49 * MINUTE, event_time=T0 + 49 * MINUTE)
    assert total(fold(requested(), late)).playing_ms == 49 * MINUTE


def test_a_view_that_numbers_from_its_clock_counts_for_a_hundred_lost_events() -> None:
    made = fold(requested(), at(1_000, seq=1_795_000_000, event_type="stopped"), requested(1_000, 2))
    pass_time(made, 2 * HOUR)
    assert (total(made).events_expected, total(made).events_lost) == (103, 100)
    assert made.state.lossy_views == {TV: 1}


def test_a_checkpoint_of_before_the_bounds_is_resumed() -> None:
    session = Session(cohort=("tv", "1.0.0", "NL", "film"), next_seq=1, received_at=T0, due=START_MINUTE + 70)
    older = msgspec.msgpack.encode([[*msgspec.to_builtins(session)][:-1]])
    [resumed] = msgspec.msgpack.decode(older, type=list[Session])
    assert (resumed.started_at, resumed.next_seq) == (0, 1)


def test_an_open_session_takes_well_below_a_kilobyte() -> None:
    sessions = 2_000
    events = columns(at(1_000, number, seq=2, profile_id=f"ml-{number}") for number in range(sessions))
    tracemalloc.start()
    try:
        made = fold_of(events)
        made.support_updates.take()
        bytes_each = tracemalloc.get_traced_memory()[0] / sessions
    finally:
        tracemalloc.stop()
    assert len(made.state.sessions) == sessions
    assert bytes_each < 850


def test_sessions_share_their_cohort_also_after_a_checkpoint() -> None:
    events = [requested(number=number) for number in (1, 2)]
    for made in (fold(*events), Fold(decoded(encoded(fold(*events).state)), HOUR)):
        first, second = made.state.sessions.values()
        assert first.cohort is second.cohort


def test_of_one_profile_a_thousand_views_an_hour_count_and_all_of_others() -> None:
    made = fold(*(requested(number=number) for number in range(3_000)), requested(number=3_000, profile_id="ml-2"))
    assert (total(made).views, len(made.state.sessions), made.state.beyond) == (1_001, 1_001, 2_000)


def test_what_was_opened_within_the_bound_goes_on_beyond_it() -> None:
    made = fold(*(requested(number=number) for number in range(1_001)))
    go_on(made, at(30_000, 0, seq=1, watched_ms=28_000), at(30_000, 1_000, seq=1, watched_ms=28_000))
    assert (total(made).playing_ms, made.state.beyond) == (28_000, 2)


def test_in_the_next_hour_a_profile_has_its_thousand_views_again() -> None:
    made = fold(*(requested(number=number) for number in range(1_001)))
    go_on(made, requested(HOUR, 2_000, session_started_at=T0 + HOUR))
    assert (total(made).views, made.state.beyond) == (1_001, 1)


def test_a_checkpoint_of_before_the_bound_of_a_profile_is_resumed() -> None:
    older = msgspec.msgpack.encode(msgspec.to_builtins(fold(requested()).state)[:-2])
    resumed = Fold(msgspec.msgpack.decode(older, type=State), HOUR)
    go_on(resumed, requested(number=2))
    assert (total(resumed).views, resumed.state.opened, resumed.state.beyond) == (2, {"ml-1": 1}, 0)
