"""What `playhead drain` waits for."""

from collections.abc import Iterable

import pytest

from infra.commands.ledger import remaining_lag
from schemas.errors import AccessDenied, TransientError

GROUPS = {"history": ("playback",), "lake": ("playback", "ui")}


def test_groups_that_are_behind_are_named_until_none_is() -> None:
    lags = {"history": 0, "lake": 1200}
    assert remaining_lag(GROUPS, lambda group, _: lags[group]) == "lake has 1,200 records to go"
    assert remaining_lag(GROUPS, lambda *_: 0) == ""


def test_a_kafka_that_does_not_answer_is_waited_for_and_one_that_refuses_is_not() -> None:
    def away(group: str, topics: Iterable[str]) -> int:
        raise TransientError("Kafka does not answer")

    def refused(group: str, topics: Iterable[str]) -> int:
        raise AccessDenied("Kafka does not let us in")

    assert remaining_lag(GROUPS, away) == "Kafka does not answer"
    with pytest.raises(AccessDenied):
        remaining_lag(GROUPS, refused)
