from domain.outbox.restoring import Restoring
from tests.support.builders import account_record


def test_a_counter_is_raised_to_the_newest_number_and_what_came_after_the_dump_is_listed() -> None:
    restoring = Restoring("playhead.accounts", {"a": 2, "b": 5, "c": 0})
    for record in [account_record("a", 3), account_record("a", 1), account_record("a", 4), account_record("b", 5)]:
        restoring.take(record.account_id, record)
    assert restoring.raised == {"a": 4}
    assert [(record.account_id, record.seq) for record in restoring.lacking.values()] == [("a", 3), ("a", 4)]


def test_an_account_that_the_dump_does_not_know_is_listed_and_has_no_counter() -> None:
    restoring = Restoring("playhead.accounts", {"a": 2})
    for _ in range(2):  # a repeat is one record
        restoring.take("new", account_record("new", 1))
    assert restoring.raised == {}
    assert list(restoring.lacking) == [(("playhead.accounts", "new"), 1)]
