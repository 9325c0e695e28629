"""The limit counts by the log's minutes."""

from streams.lake_sink.dead_letter_limit import DeadLetterLimit

MINUTE = 60_000


def test_a_minute_takes_as_many_as_the_limit() -> None:
    limit = DeadLetterLimit(3)
    limit.count([0, MINUTE - 1])
    assert limit.allows([5])
    assert not limit.allows([5, 6])


def test_asking_counts_nothing() -> None:
    limit = DeadLetterLimit(1)
    assert limit.allows([0])
    assert limit.allows([0])


def test_a_backlog_of_many_minutes_is_judged_minute_by_minute() -> None:
    limit = DeadLetterLimit(2)
    assert limit.allows([minute * MINUTE + n for minute in range(50) for n in range(2)])
    assert not limit.allows([*(minute * MINUTE for minute in range(50)), 0, 0])
