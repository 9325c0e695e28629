"""Which of the driver's errors mean: try again."""

import pytest
from cassandra import ConsistencyLevel, InvalidRequest, OperationTimedOut, WriteTimeout, WriteType
from cassandra.protocol import ErrorMessage, SyntaxException

from infra.clients.cassandra import translated
from schemas.errors import TransientError


@pytest.mark.parametrize(
    "error",
    [
        OperationTimedOut(),
        WriteTimeout("CAS", consistency=ConsistencyLevel.LOCAL_SERIAL, write_type=WriteType.CAS),
        ErrorMessage(0x1700, "CAS operation result is unknown", None),
    ],
)
def test_an_unknown_outcome_is_transient(error: Exception) -> None:
    assert isinstance(translated(error), TransientError)


@pytest.mark.parametrize("error", [InvalidRequest("no such column"), SyntaxException(0x2000, "no viable input", None)])
def test_a_mistake_of_ours_is_not(error: Exception) -> None:
    assert translated(error) is error
