"""What is missing among a session's sequence numbers."""

from hypothesis import given
from hypothesis import strategies as st

from domain.quality.gaps import MOST_GAPS, lost, note
from domain.quality.state import Session


def after(*seqs: int) -> Session:
    session = Session(cohort=("tv", "1.0", "NL", "film"))
    for seq in seqs:
        note(session, seq)
    return session


@given(st.lists(st.integers(0, 2 * MOST_GAPS), max_size=60))
def test_what_never_came_is_missing_in_whatever_order_the_others_came(seqs: list[int]) -> None:
    session = after(*seqs)
    assert session.next_seq == max(seqs, default=-1) + 1
    assert lost(session) == session.next_seq - len(set(seqs))


def test_a_huge_jump_costs_nothing() -> None:
    session = after(0, 2**31 - 1)
    assert (session.missing, lost(session)) == (((1, 2**31 - 1),), 2**31 - 2)


def test_more_holes_than_are_waited_for_are_lost_from_the_oldest_on() -> None:
    session = after(*range(0, 4 * MOST_GAPS, 2))
    assert (len(session.missing), lost(session)) == (MOST_GAPS, 2 * MOST_GAPS - 1)
    note(session, 1)
    assert lost(session) == 2 * MOST_GAPS - 1, "it is waited for no longer"
    note(session, 4 * MOST_GAPS - 3)
    assert lost(session) == 2 * MOST_GAPS - 2
