"""Every rule of the contract through HTTP: refused with field and code, kept as a dead letter."""

from typing import Any

import pytest

from tests.support.builders import EVENTS, T0, as_client
from tests.support.rule_cases import JSON_CASES, PASSING, RULE_CASES
from tests.unit.producers.collector.conftest import Collector

SENT_AT = T0 + 60_100
Case = tuple[str, dict[str, Any], str, str]
REFUSED: list[Case] = [
    *((case.family, case.overrides, case.field, case.code) for case in RULE_CASES if case.over_http),
    *((case.family, case.change, case.field, case.code) for case in JSON_CASES),
]


def changed(family: str, changes: dict[str, Any]) -> dict[str, Any]:
    """The builder's event as a client sends it; ``...`` takes a field out."""
    event = as_client(EVENTS[family]()) | changes
    return {name: value for name, value in event.items() if value is not ...}


@pytest.mark.parametrize("case", REFUSED, ids=lambda case: f"{case[0]}-{case[2]}-{case[3]}")
async def test_what_breaks_a_rule_is_refused_and_kept(collector: Collector, case: Case) -> None:
    family, changes, field, code = case
    answer = await collector.post(changed(family, changes), sent_at=SENT_AT)

    [rejected] = answer.json()["rejected"]
    [letter] = collector.dead_letters()
    assert answer.status_code == 400
    assert (rejected["field"], rejected["code"]) == (field, code)
    assert field in rejected["message"]
    assert (letter.field, letter.error_class, letter.reason) == (field, code, rejected["message"])
    assert len(collector.log.stored) == 1


async def test_what_keeps_the_rules_is_accepted(collector: Collector) -> None:
    answer = await collector.post(*(changed(family, changes) for family, changes in PASSING), sent_at=SENT_AT)

    assert (answer.status_code, answer.json()) == (202, {"accepted": len(PASSING), "rejected": []})
