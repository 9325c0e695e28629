"""When a buffer is full, and how it is cut into objects."""

import pytest

from domain.lake.batching import LONG_RUN, FlushLimits, Slice, slices

LIMITS = FlushLimits(records=100, bytes=1000, age_ms=5000)


@pytest.mark.parametrize(
    ("records", "size", "age_ms", "exceeded"),
    [(99, 999, 4999, False), (100, 1, 0, True), (1, 1000, 0, True), (1, 1, 5000, True), (0, 0, 9999, False)],
)
def test_records_bytes_or_age_fill_a_buffer_and_an_empty_one_never_is(
    records: int, size: int, age_ms: int, exceeded: bool
) -> None:
    assert LIMITS.exceeded(records, size, age_ms) is exceeded


def test_one_schema_is_one_object() -> None:
    assert slices([4, 4, 4]) == [Slice(0, 3, 4)]


def test_invalid_records_go_with_their_neighbours() -> None:
    assert slices([None, 4, None, 4, None]) == [Slice(0, 5, 4)]


def test_only_invalid_records_make_an_object_without_schema() -> None:
    assert slices([None, None]) == [Slice(0, 2, None)]


def test_a_change_between_long_runs_ends_the_object() -> None:
    long = LONG_RUN
    assert slices([4] * long + [None] + [7] * long) == [Slice(0, long + 1, 4), Slice(long + 1, 2 * long + 1, 7)]


def test_a_rollback_between_long_runs_ends_the_object_too() -> None:
    assert slices([7] * LONG_RUN + [4] * LONG_RUN) == [Slice(0, LONG_RUN, 7), Slice(LONG_RUN, 2 * LONG_RUN, 4)]


def test_interleaved_schemas_share_an_object_under_the_newest() -> None:
    assert slices([4, 7, 4, 7, 7, 4]) == [Slice(0, 6, 7)]


def test_a_few_of_another_schema_do_not_cut_a_long_run() -> None:
    assert slices([7] * LONG_RUN + [4] + [7] * LONG_RUN) == [Slice(0, 2 * LONG_RUN + 1, 7)]


def test_no_records_no_objects() -> None:
    assert slices([]) == []
