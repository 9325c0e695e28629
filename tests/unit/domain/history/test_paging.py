"""The history as readers page through it."""

from itertools import pairwise
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.history.merge import merge
from domain.history.paging import Page, PagePlan, decode_cursor, newest_first, page, plan_page
from domain.history.versions import Chunk, ChunkId, position
from schemas.events import ViewingRecord
from tests.support.builders import T0, viewing_record

HISTORY = newest_first(
    [
        viewing_record(playback_session_id=f"018bcfe5-6800-7000-8000-00000000000{n}", session_started_at=T0 + n // 2)
        for n in range(5)
    ],
    (),
)


def page_of(history: list[ViewingRecord], limit: int, cursor: str | None = None) -> Page:
    return page(history, limit, PagePlan((), older_than=decode_cursor(cursor) if cursor else None))


def test_the_newest_session_comes_first_and_ids_settle_ties() -> None:
    assert [record.playback_session_id[-1] for record in HISTORY] == ["4", "3", "2", "1", "0"]


def test_both_stores_are_one_history() -> None:
    older, newer = viewing_record(seq=1), viewing_record(seq=2)
    assert newest_first([older], [newer]) == [newer]


sessions = st.builds(
    viewing_record,
    playback_session_id=st.sampled_from([f"018bcfe5-6800-7000-8000-00000000000{n}" for n in range(5)]),
    session_started_at=st.integers(T0, T0 + 1),
    seq=st.integers(0, 1),
)


@given(st.lists(sessions, unique_by=position), st.lists(sessions))
def test_it_is_the_merge_of_both_stores_even_where_a_session_has_two_starts(
    compressed: list[ViewingRecord], live: list[ViewingRecord]
) -> None:
    history = newest_first(sorted(compressed, key=position), live)
    assert history == sorted(merge(compressed, live), key=position, reverse=True)


def test_following_the_cursor_gives_every_session_once() -> None:
    seen, cursor = [], None
    while True:
        got = page_of(HISTORY, limit=2, cursor=cursor)
        seen += got.items
        cursor = got.next_cursor
        if cursor is None:
            break
    assert seen == HISTORY


def test_a_last_page_that_is_just_full_has_no_cursor() -> None:
    assert page_of(HISTORY, limit=5).next_cursor is None


def test_new_sessions_do_not_shift_a_page() -> None:
    first = page_of(HISTORY, limit=2)
    fresh = viewing_record(playback_session_id="018bcfe5-6800-7000-8000-000000000009", session_started_at=T0 + 99)
    assert page_of(newest_first(HISTORY[::-1], [fresh]), 2, first.next_cursor).items == HISTORY[2:4]


def numbered(number: int) -> ViewingRecord:
    return viewing_record(
        playback_session_id=f"018bcfe5-6800-7000-8000-{number:012d}", session_started_at=T0 + number, seq=number % 3
    )


def chunked(records: list[ViewingRecord], ends: set[int]) -> dict[Chunk, list[ViewingRecord]]:
    """These records, in the order of positions, as chunks that end before these indexes."""
    bounds = [0, *sorted(end for end in ends if 0 < end < len(records)), len(records)]
    parts = [records[start:end] for start, end in pairwise(bounds) if start < end]
    return {
        Chunk(ChunkId(1, UUID(int=0), n), position(part[0]), position(part[-1]), len(part), 0, 0): part
        for n, part in enumerate(parts)
    }


@given(
    compressed=st.sets(st.integers(0, 40)),
    live=st.sets(st.integers(0, 60)),
    ends=st.sets(st.integers(1, 40)),
    limit=st.integers(1, 12),
)
def test_pages_are_the_history_and_read_no_chunk_below_a_full_page(
    compressed: set[int], live: set[int], ends: set[int], limit: int
) -> None:
    """Live rows are newer than the chunks, between them, or old states of sessions within them."""
    chunks = chunked([numbered(n) for n in sorted(compressed)], ends)
    rows = [numbered(n) for n in live]
    history = newest_first([record for part in chunks.values() for record in part], rows)
    found: list[ViewingRecord] = []
    cursor = None
    while True:
        plan = plan_page([*chunks], rows, limit, decode_cursor(cursor) if cursor else None)
        read = [record for chunk in reversed(plan.chunks) for record in chunks[chunk]]
        shown = page(newest_first(read, rows), limit, plan)
        assert shown.items or not history
        if (
            cursor is None
            and len(shown.items) == limit
            and not any(chunk.covers(position(row)) for chunk in chunks for row in rows)
        ):
            assert all(chunk.last >= position(shown.items[-1]) for chunk in plan.chunks)
        found += shown.items
        if (cursor := shown.next_cursor) is None:
            break
    assert found == history


@pytest.mark.parametrize("cursor", ["x", "Zm9v", "!!!", "é"])
def test_a_foreign_cursor_is_refused(cursor: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - which of its subclasses doesn't matter to the caller
        page_of(HISTORY, limit=2, cursor=cursor)
