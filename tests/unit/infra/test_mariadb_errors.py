"""Which errors of MariaDB are worth a retry."""

import pytest
from sqlalchemy.exc import TimeoutError as NoneFree

from infra.engines.mariadb import translated
from schemas.errors import TransientError


@pytest.mark.parametrize("error", [NoneFree("QueuePool limit reached"), ConnectionRefusedError("refused")])
def test_a_connection_that_cannot_be_had_now_is_transient(error: Exception) -> None:
    with pytest.raises(TransientError, match=str(error)), translated():
        raise error


def test_a_programming_error_is_not_transient() -> None:
    with pytest.raises(KeyError), translated():
        raise KeyError("column")
