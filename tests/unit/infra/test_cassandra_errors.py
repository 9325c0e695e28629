"""Which driver errors are worth a retry."""

import pytest
from cassandra import ConsistencyLevel, InvalidRequest, OperationTimedOut, WriteTimeout, WriteType
from cassandra.cluster import NoHostAvailable
from cassandra.protocol import ErrorMessage, SyntaxException

from infra.engines.cassandra import translate
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
    assert isinstance(translate(error), TransientError)


@pytest.mark.parametrize("error", [InvalidRequest("no such column"), SyntaxException(0x2000, "no viable input", None)])
def test_a_programming_error_is_not_transient(error: Exception) -> None:
    assert translate(error) is error


def test_unreachable_nodes_are_named_with_their_errors() -> None:
    refused = ConnectionRefusedError(111, "Tried connecting to [('10.0.0.1', 9042)]. Last error: Connection refused")
    away = NoHostAvailable("Unable to connect to any servers", {"10.0.0.1:9042": refused, "10.0.0.2:9042": "timed out"})
    assert (
        str(translate(away))
        == "Cassandra: no node answers (10.0.0.1:9042: Connection refused; 10.0.0.2:9042: timed out)"
    )
    nobody_asked = NoHostAvailable("Unable to complete the operation against any hosts", {})
    assert str(translate(nobody_asked)) == "Cassandra: no node answers"
