"""The newest state of each session out of one batch."""

import msgspec
import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from domain.history.viewing_record import newest_per_session
from schemas.events import Playback
from tests.support.builders import T0, playback, viewing_record
from tests.support.oracle import by_profile, expected_history


def frame(*events: Playback) -> pl.DataFrame:
    return pl.DataFrame([msgspec.structs.asdict(event) for event in events], infer_schema_length=None)


def test_the_highest_seq_stays() -> None:
    newest = newest_per_session(frame(playback(seq=2), playback(seq=4, playhead_ms=90_000), playback(seq=3)))
    assert newest.records == [viewing_record(seq=4, playhead_ms=90_000)]
    assert newest.conflicts == 0


def test_each_session_of_each_profile_has_its_own_record() -> None:
    rewatch = "018bcfe5-6800-7000-8000-000000000002"
    newest = newest_per_session(
        frame(playback(), playback(playback_session_id=rewatch), playback(profile_id="ml-2"), playback(seq=1))
    )
    assert newest.records == [
        viewing_record(),
        viewing_record(playback_session_id=rewatch),
        viewing_record(profile_id="ml-2"),
    ]


def test_a_retry_is_no_conflict_and_the_later_delivery_stays() -> None:
    retry = playback(received_at=T0 + 70_000, event_time=T0 + 61_000)
    newest = newest_per_session(frame(playback(), retry, playback()))
    assert newest.records == [viewing_record(received_at=T0 + 70_000, event_time=T0 + 61_000)]
    assert newest.conflicts == 0


def test_equal_seq_with_other_content_is_counted() -> None:
    newest = newest_per_session(
        frame(playback(), playback(device_id="device-2", received_at=T0 + 60_300), playback(seq=9), playback(seq=2))
    )
    assert newest.records == [viewing_record(seq=9)]
    assert newest.conflicts == 1


def test_a_null_that_becomes_a_value_is_other_content() -> None:
    assert newest_per_session(frame(playback(), playback(error_code="network"))).conflicts == 1


def test_no_events_give_no_records() -> None:
    assert newest_per_session(frame(playback()).clear()).records == []


events = st.builds(
    playback,
    profile_id=st.sampled_from(("ml-1", "ml-2")),
    playback_session_id=st.sampled_from(tuple(f"018bcfe5-6800-7000-8000-00000000000{n}" for n in range(3))),
    seq=st.integers(0, 3),
    received_at=st.integers(T0, T0 + 2),
    playhead_ms=st.integers(0, 2),
    watched_ms=st.integers(0, 1),
    state_since_ms=st.sampled_from((0, 30_000)),
    player_state=st.sampled_from(("playing", "paused")),
    duration_ms=st.sampled_from((None, 10, 40)),
    error_code=st.sampled_from((None, "network")),
)


@given(st.lists(events, min_size=1, max_size=20))
def test_any_batch_gives_what_the_oracle_expects(batch: list[Playback]) -> None:
    assert by_profile(newest_per_session(frame(*batch)).records) == expected_history(batch)


def test_a_stop_that_tells_nothing_leaves_what_the_session_told_before() -> None:
    played = playback(seq=90, playhead_ms=2_700_000, state_since_ms=60_000)
    stopped = playback(seq=91, event_type="stopped", player_state="stopped", playhead_ms=0, duration_ms=None)
    (record,) = newest_per_session(frame(stopped, played)).records
    assert (record.seq, record.playhead_ms, record.duration_ms) == (91, 0, None)
    assert (record.played_seq, record.played_ms) == (90, 2_700_000)
    assert (record.settled_seq, record.settled_ms, record.settled_watched_ms) == (90, 2_700_000, 58_000)
    assert (record.length_seq, record.length_ms) == (90, 6_000_000)


def test_a_pause_leaves_when_the_picture_moved_last() -> None:
    played = playback(seq=90, event_time=T0 + 60_000, watched_ms=58_000)
    retried = playback(seq=90, event_time=T0 + 60_500, received_at=T0 + 70_000, watched_ms=58_000)
    paused = playback(seq=91, event_type="paused", player_state="paused", event_time=T0 + 65_000, watched_ms=63_000)
    (record,) = newest_per_session(frame(paused, retried, played)).records
    assert (record.moved_seq, record.moved_at, record.moved_watched_ms) == (90, T0 + 60_500, 58_000)
