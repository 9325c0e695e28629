from hypothesis import given
from hypothesis import strategies as st

from domain.outbox.rows import Row, published
from tests.support.fake_outbox import rows


def seqs(found: list[Row]) -> list[tuple[str, int]]:
    return [(row.aggregate, row.seq) for row in found]


def test_what_kafka_has_acknowledged_is_published() -> None:
    batch = [*rows("a", [4, 5]), *rows("b", [1])]
    assert seqs(published(batch, set())) == [("a", 4), ("a", 5), ("b", 1)]


def test_a_row_behind_one_that_was_given_up_is_not_published_though_kafka_has_it() -> None:
    batch = [*rows("a", [4, 5, 6]), *rows("b", [1, 2])]
    assert seqs(published(batch, {1})) == [("a", 4), ("b", 1), ("b", 2)]


@given(counts=st.lists(st.integers(1, 5), min_size=1, max_size=4), data=st.data())
def test_of_each_key_a_prefix_is_published_and_nothing_that_kafka_lacks(counts: list[int], data: st.DataObject) -> None:
    batch = [row for number, count in enumerate(counts) for row in rows(f"a{number}", range(1, count + 1))]
    lost = data.draw(st.sets(st.integers(0, len(batch) - 1)))
    found = published(batch, lost)
    assert {batch.index(row) for row in found}.isdisjoint(lost)
    for number, count in enumerate(counts):
        of_key = [row.seq for row in found if row.aggregate == f"a{number}"]
        assert of_key == list(range(1, len(of_key) + 1))
        first_lost = next(
            (batch[place].seq for place in sorted(lost) if batch[place].aggregate == f"a{number}"), count + 1
        )
        assert len(of_key) == first_lost - 1
