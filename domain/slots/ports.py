"""What slots need from outside. The adapter in ``infra`` and the fake in tests satisfy it by shape."""

from typing import Protocol

from domain.slots.model import Slots, Stream


class SlotStore(Protocol):
    """Slots of accounts. A slot that nobody renews becomes free by the store's own clock.

    TransientError: the store did not answer. A change may have been made then, so ask again: every change may be asked
    for any number of times, and the answer is the same.
    """

    async def slots(self, account_id: str) -> Slots:
        """The account's slots that are taken, and who was stopped a moment ago."""
        ...

    async def take(self, account_id: str, number: int, stream: Stream) -> Stream:
        """Takes the slot if it is free. Returns the stream that has it now."""
        ...

    async def take_over(self, account_id: str, number: int, stream: Stream, holder: str, replaced: str | None) -> bool:
        """Takes the slot from the session ``holder``. ``replaced``: the session that shall know that it was stopped.
        Returns whether the stream has the slot now."""
        ...

    async def renew(self, account_id: str, number: int, stream: Stream) -> bool:
        """The stream plays: it keeps the slot. Returns whether it has it."""
        ...

    async def pause(self, account_id: str, number: int, stream: Stream) -> bool:
        """The stream is paused: it keeps the slot for a longer time, which further calls do not extend. Returns whether
        it has it."""
        ...

    async def release(self, account_id: str, number: int, session: str) -> None:
        """Frees the slot if that session has it, and keeps in mind for a lease that it was stopped."""
        ...
