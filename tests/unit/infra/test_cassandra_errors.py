"""Which of the driver's errors mean: try again."""

import pytest
from cassandra import ConsistencyLevel, InvalidRequest, OperationTimedOut, WriteTimeout, WriteType
from cassandra.cluster import NoHostAvailable
from cassandra.protocol import ErrorMessage, SyntaxException

from infra.engines.cassandra import translated
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


def test_nodes_that_are_away_are_told_with_what_each_answered() -> None:
    refused = ConnectionRefusedError(111, "Tried connecting to [('10.0.0.1', 9042)]. Last error: Connection refused")
    away = NoHostAvailable("Unable to connect to any servers", {"10.0.0.1:9042": refused, "10.0.0.2:9042": "timed out"})
    assert (
        str(translated(away))
        == "Cassandra: no node answers (10.0.0.1:9042: Connection refused; 10.0.0.2:9042: timed out)"
    )
    nobody_asked = NoHostAvailable("Unable to complete the operation against any hosts", {})
    assert str(translated(nobody_asked)) == "Cassandra: no node answers"
