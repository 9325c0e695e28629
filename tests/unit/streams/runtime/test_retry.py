"""Trying again in place."""

import pytest

from schemas.errors import TransientError
from streams.runtime import retry
from streams.runtime.retry import retry_transient


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retry, "FIRST_WAIT_S", 0)


class Flaky:
    def __init__(self, failures: int, error: type[Exception] = TransientError) -> None:
        self.failures = failures
        self.error = error
        self.noted = 0

    async def __call__(self) -> str:
        if self.failures:
            self.failures -= 1
            raise self.error("away")
        return "done"

    def note(self) -> None:
        self.noted += 1


async def test_it_goes_on_until_it_works_and_notes_each_repeat() -> None:
    flaky = Flaky(failures=3)
    assert await retry_transient(flaky, lambda: False, flaky.note) == "done"
    assert flaky.noted == 3


async def test_it_gives_up_when_told_so() -> None:
    flaky = Flaky(failures=3)
    with pytest.raises(TransientError):
        await retry_transient(flaky, lambda: True, flaky.note)


async def test_any_other_error_comes_out_at_once() -> None:
    flaky = Flaky(failures=1, error=KeyError)
    with pytest.raises(KeyError):
        await retry_transient(flaky, lambda: False, flaky.note)
    assert flaky.noted == 0
