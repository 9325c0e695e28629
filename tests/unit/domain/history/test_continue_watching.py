"""Which titles can be resumed, and from where."""

import msgspec
import pytest

from domain.history.continue_watching import continue_watching, is_played, resume_point, watched_at
from domain.history.kept import KEPT_FIELDS
from tests.support.builders import T0, viewing_record

OTHER = "018bcfe5-6800-7000-8000-000000000002"


@pytest.mark.parametrize(
    ("playhead_ms", "offered"),
    [(299_999, False), (300_000, True), (5_400_000, True), (5_400_001, False)],
)
def test_from_five_to_ninety_percent(playhead_ms: int, offered: bool) -> None:
    marks = continue_watching([viewing_record(playhead_ms=playhead_ms, duration_ms=6_000_000)])
    assert [mark.bookmark_ms for mark in marks] == ([playhead_ms] if offered else [])


@pytest.mark.parametrize(("duration_ms", "offered"), [(299_999, False), (300_000, True), (None, False)])
def test_only_titles_of_five_minutes_and_more(duration_ms: int | None, offered: bool) -> None:
    assert bool(continue_watching([viewing_record(playhead_ms=100_000, duration_ms=duration_ms)])) is offered


def test_the_session_with_the_later_event_time_speaks_for_its_title() -> None:
    earlier = viewing_record(playhead_ms=4_000_000, event_time=T0, seq=900)
    later = viewing_record(playhead_ms=1_000_000, event_time=T0 + 1, playback_session_id=OTHER, seq=1)
    assert [mark.bookmark_ms for mark in continue_watching([later, earlier])] == [1_000_000]


def test_a_tab_that_was_paused_before_a_newer_play_and_closed_after_it_changes_nothing() -> None:
    closed = viewing_record(
        playhead_ms=1_000_000,
        watched_ms=600_000,
        player_state="stopped",
        event_type="stopped",
        event_time=T0 + 9_000_000,
    )
    closed = msgspec.structs.replace(closed, moved_seq=19, moved_at=T0, moved_watched_ms=590_000)
    newer = viewing_record(playhead_ms=4_000_000, event_time=T0 + 3_600_000, playback_session_id=OTHER)
    (mark,) = continue_watching([closed, newer])
    assert (mark.bookmark_ms, mark.watched_at) == (4_000_000, T0 + 3_600_000)


@pytest.mark.parametrize(
    ("watched_ms", "moment"), [(600_000, T0 + 10_000), (590_000, T0), (5_000_000, T0 + 60_000), (0, T0)]
)
def test_a_picture_moved_for_as_long_as_was_watched_since_and_no_longer_than_the_session(
    watched_ms: int, moment: int
) -> None:
    record = viewing_record(watched_ms=watched_ms, player_state="paused", event_time=T0 + 60_000)
    assert watched_at(msgspec.structs.replace(record, moved_seq=1, moved_at=T0, moved_watched_ms=590_000)) == moment


def test_a_session_that_says_nothing_of_a_moving_picture_has_the_time_of_its_newest_event() -> None:
    assert watched_at(viewing_record(player_state="paused", event_time=T0 + 60_000)) == T0 + 60_000


def test_a_title_finished_later_is_not_offered() -> None:
    begun = viewing_record(playhead_ms=1_000_000, event_time=T0)
    finished = viewing_record(playhead_ms=5_900_000, event_time=T0 + 1, playback_session_id=OTHER)
    assert continue_watching([begun, finished]) == []


def test_a_rewatch_is_offered_and_the_title_stays_played() -> None:
    finished = viewing_record(playhead_ms=5_900_000, event_time=T0)
    rewatch = viewing_record(playhead_ms=1_000_000, event_time=T0 + 1, playback_session_id=OTHER)
    assert [(mark.bookmark_ms, mark.played) for mark in continue_watching([finished, rewatch])] == [(1_000_000, True)]


def test_the_latest_watched_title_comes_first() -> None:
    old = viewing_record(title_id="ml-1", playhead_ms=1_000_000, event_time=T0)
    new = viewing_record(title_id="ml-2", playhead_ms=1_000_000, event_time=T0 + 1, playback_session_id=OTHER)
    assert [mark.title_id for mark in continue_watching([old, new])] == ["ml-2", "ml-1"]


def test_a_title_resumes_where_the_newest_session_with_a_picture_was_left() -> None:
    further = viewing_record(playback_session_id="tv", playhead_ms=4_000_000, event_time=T0)
    newer = viewing_record(playback_session_id="phone", playhead_ms=1_000_000, event_time=T0 + 1)
    no_picture = viewing_record(playback_session_id="web", playhead_ms=0, startup_time_ms=None, event_time=T0 + 2)
    other = viewing_record(playback_session_id="other", title_id="ml-1", event_time=T0 + 3)

    mark = resume_point([further, newer, no_picture, other], "ml-50")
    assert mark is not None
    assert (mark.playback_session_id, mark.bookmark_ms) == ("phone", 1_000_000)
    assert resume_point([no_picture, other], "ml-50") is None


def test_a_title_that_was_seen_starts_again_at_its_beginning() -> None:
    early = viewing_record(playback_session_id="tv", playhead_ms=3_000_000, event_time=T0)
    seen = viewing_record(playback_session_id="phone", playhead_ms=5_900_000, event_time=T0 + 1)
    assert resume_point([early, seen], "ml-50") is None


def test_a_short_title_resumes_too() -> None:
    clip = viewing_record(playhead_ms=28_000, duration_ms=55_000)
    mark = resume_point([clip], "ml-50")
    assert mark is not None
    assert mark.bookmark_ms == 28_000
    assert continue_watching([clip]) == []


def test_a_play_without_a_picture_leaves_the_bookmark() -> None:
    left = viewing_record(playhead_ms=3_600_000, event_time=T0)
    failed = viewing_record(
        playhead_ms=0, watched_ms=0, startup_time_ms=None, event_time=T0 + 1, playback_session_id=OTHER
    )
    assert [mark.bookmark_ms for mark in continue_watching([left, failed])] == [3_600_000]


def test_a_stop_at_zero_or_without_a_length_leaves_the_bookmark() -> None:
    kept = {"played_seq": 90, "played_ms": 2_700_000, "length_seq": 90, "length_ms": 7_260_000}
    stopped = viewing_record(seq=91, playhead_ms=0, duration_ms=None, **kept)
    assert [(mark.bookmark_ms, mark.duration_ms) for mark in continue_watching([stopped])] == [(2_700_000, 7_260_000)]


@pytest.mark.parametrize("title_class", ["live", "trailer"])
def test_live_channels_and_trailers_are_never_resumed(title_class: str) -> None:
    assert continue_watching([viewing_record(title_class=title_class, playhead_ms=3_000_000)]) == []


def test_an_accidental_seek_in_a_session_of_its_own_leaves_the_bookmark() -> None:
    left = viewing_record(playhead_ms=2_400_000, watched_ms=2_400_000, event_time=T0)
    seek = viewing_record(playhead_ms=5_765_000, watched_ms=5_000, event_time=T0 + 1, playback_session_id=OTHER)
    marks = continue_watching([left, seek])
    assert [(mark.bookmark_ms, mark.played) for mark in marks] == [(2_400_000, False)]
    assert not is_played(seek)


def test_an_accidental_seek_at_the_end_of_a_session_leaves_the_bookmark() -> None:
    settled = {"settled_seq": 80, "settled_ms": 2_400_000, "settled_watched_ms": 2_400_000}
    seek = viewing_record(seq=82, playhead_ms=5_765_000, watched_ms=2_405_000, **settled)
    assert [mark.bookmark_ms for mark in continue_watching([seek])] == [2_400_000]


def test_a_seek_that_is_watched_moves_the_bookmark() -> None:
    settled = {"settled_seq": 80, "settled_ms": 2_400_000, "settled_watched_ms": 2_400_000}
    seek = viewing_record(seq=82, playhead_ms=4_100_000, watched_ms=2_500_000, **settled)
    assert [mark.bookmark_ms for mark in continue_watching([seek])] == [4_100_000]


def test_a_look_at_the_beginning_leaves_the_bookmark() -> None:
    left = viewing_record(playhead_ms=3_600_000, watched_ms=3_600_000, event_time=T0)
    look = viewing_record(playhead_ms=180_000, watched_ms=180_000, event_time=T0 + 1, playback_session_id=OTHER)
    assert [mark.bookmark_ms for mark in continue_watching([left, look])] == [3_600_000]


def test_a_short_look_that_plays_on_moves_the_bookmark() -> None:
    left = viewing_record(playhead_ms=3_600_000, watched_ms=3_600_000, event_time=T0)
    on = viewing_record(playhead_ms=3_612_000, watched_ms=12_000, event_time=T0 + 1, playback_session_id=OTHER)
    assert [mark.bookmark_ms for mark in continue_watching([left, on])] == [3_612_000]


def test_a_state_of_older_software_has_the_position_of_its_newest_event() -> None:
    old = viewing_record(playhead_ms=3_000_000, **dict.fromkeys(KEPT_FIELDS))
    assert [mark.bookmark_ms for mark in continue_watching([old])] == [3_000_000]
