"""Union by session, newest wins, whatever the order and however often."""

from hypothesis import given
from hypothesis import strategies as st

from domain.history.merge import merge
from schemas.events import ViewingRecord
from tests.support.builders import T0, viewing_record

SESSIONS = tuple(f"018bcfe5-6800-7000-8000-00000000000{n}" for n in range(3))

records = st.builds(
    viewing_record,
    profile_id=st.sampled_from(("ml-1", "ml-2")),
    playback_session_id=st.sampled_from(SESSIONS),
    seq=st.integers(0, 2),
    received_at=st.integers(T0, T0 + 1),
    playhead_ms=st.integers(0, 3),
    error_code=st.sampled_from((None, "", "network", "réseau")),
    error_fatal=st.booleans(),
    watched_ms=st.integers(0, 1),
    duration_ms=st.sampled_from((None, 3, 4)),
)
histories = st.lists(records, max_size=12)


@given(histories, histories)
def test_it_does_not_matter_which_source_comes_first(one: list[ViewingRecord], other: list[ViewingRecord]) -> None:
    assert merge(one, other) == merge(other, one)


@given(histories, histories, histories)
def test_it_does_not_matter_what_is_merged_first(
    one: list[ViewingRecord], two: list[ViewingRecord], three: list[ViewingRecord]
) -> None:
    assert merge(merge(one, two), three) == merge(one, merge(two, three))


@given(histories)
def test_merging_again_changes_nothing(history: list[ViewingRecord]) -> None:
    once = merge(history)
    assert merge(once, once, history) == once


@given(histories)
def test_every_session_appears_once(history: list[ViewingRecord]) -> None:
    merged = merge(history)
    keys = [(record.profile_id, record.playback_session_id) for record in merged]
    assert keys == sorted({(record.profile_id, record.playback_session_id) for record in history})


def test_a_late_retry_of_an_older_event_loses_although_its_event_time_is_later() -> None:
    newest = viewing_record(seq=7, event_time=T0 + 1_000)
    late = viewing_record(seq=6, event_time=T0 + 9_000, received_at=T0 + 99_000)
    assert merge([late], [newest]) == [newest]


def test_of_two_deliveries_of_one_event_the_later_stays() -> None:
    first, retry = viewing_record(received_at=T0 + 1), viewing_record(received_at=T0 + 2)
    assert merge([retry, first]) == [retry]
