"""Which sequence numbers of a session are missing."""

from hypothesis import given
from hypothesis import strategies as st

from domain.quality.state import MOST_GAPS, Session


def after(*seqs: int) -> Session:
    session = Session(cohort=("tv", "1.0", "NL", "film"))
    for seq in seqs:
        session.record_seq(seq)
    return session


@given(st.lists(st.integers(0, 2 * MOST_GAPS), max_size=60))
def test_what_was_not_received_is_missing_in_any_order_of_the_others(seqs: list[int]) -> None:
    session = after(*seqs)
    assert session.next_seq == max(seqs, default=-1) + 1
    assert session.lost_events() == session.next_seq - len(set(seqs))


def test_a_huge_jump_costs_nothing() -> None:
    session = after(0, 2**31 - 1)
    assert (session.missing, session.lost_events()) == (((1, 2**31 - 1),), 2**31 - 2)


def test_beyond_the_limit_the_oldest_gap_is_lost() -> None:
    session = after(*range(0, 4 * MOST_GAPS, 2))
    assert (len(session.missing), session.lost_events()) == (MOST_GAPS, 2 * MOST_GAPS - 1)
    session.record_seq(1)
    assert session.lost_events() == 2 * MOST_GAPS - 1, "this gap is given up"
    session.record_seq(4 * MOST_GAPS - 3)
    assert session.lost_events() == 2 * MOST_GAPS - 2
