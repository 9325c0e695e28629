"""A process waits for backends that are down, and exits with one line when only a person can help."""

import pytest

from infra.local.program import StackError
from infra.runtime.settings import Settings
from infra.runtime.startup import exit_with_message, wait_until_available
from schemas.errors import AccessDenied, TransientError


class Step:
    """Raises the given errors, then succeeds."""

    def __init__(self, *faults: Exception) -> None:
        self._faults = list(faults)

    def __call__(self) -> str:
        if self._faults:
            raise self._faults.pop(0)
        return "in"


def reported(fault: Exception) -> list[str]:
    lines: list[str] = []
    with pytest.raises(SystemExit, match="1"), exit_with_message(lines.append):
        raise fault
    return lines


@pytest.fixture(autouse=True)
def _no_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tenacity.nap.time.sleep", lambda _: None)


def test_an_unreachable_backend_is_retried() -> None:
    assert wait_until_available(Step(TransientError("away"), TransientError("away"))) == "in"


def test_rejected_credentials_are_not_retried() -> None:
    with pytest.raises(AccessDenied):
        wait_until_available(Step(TransientError("away"), AccessDenied("check PLAYHEAD_KAFKA_PASSWORD")))


def test_what_a_person_can_fix_is_reported_in_one_line() -> None:
    assert reported(StackError("port 1 is taken")) == ["port 1 is taken"]
    assert reported(AccessDenied("check PLAYHEAD_KAFKA_PASSWORD")) == ["check PLAYHEAD_KAFKA_PASSWORD"]
    assert reported(ExceptionGroup("tasks", [AccessDenied("check it")])) == ["check it"]
    assert reported(TransientError("Kafka does not answer")) == [
        "Kafka does not answer",
        "`playhead status` shows which processes run.",
    ]


def test_a_wrong_setting_is_reported_by_its_variable() -> None:
    with pytest.raises(ValueError, match="kafka_ca_file") as fault:
        Settings(kafka_ca_file="/nowhere/ca.pem")
    assert reported(fault.value) == ["PLAYHEAD_KAFKA_CA_FILE: Path does not point to a file"]


def test_anything_else_is_a_crash() -> None:
    with pytest.raises(ZeroDivisionError), exit_with_message(print):
        raise ZeroDivisionError
