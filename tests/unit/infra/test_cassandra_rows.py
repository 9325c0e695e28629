"""Rows of Cassandra's answers, by name."""

from infra.engines.cassandra import named_rows


def test_values_have_the_names_of_their_columns() -> None:
    (row,) = named_rows(["generation", "[applied]"], [(7, True)])
    assert (row.generation, row.applied, tuple(row)) == (7, True, (7, True))


def test_answers_of_one_statement_share_a_class() -> None:
    (one,), (other,) = (named_rows(["generation", "n"], [(7, n)]) for n in range(2))
    assert type(one) is type(other)


def test_no_rows_are_no_rows() -> None:
    assert named_rows(["generation"], []) == []
