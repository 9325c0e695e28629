"""Gives out an account's slots: never more than the plan allows, and without a clock.

The store decides who has a slot. When it does not answer, a stream plays uncounted: a member who pays is not kept from
a film because we cannot count. The daily report finds who played too many.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable

from domain.metrics import SLOT_ANSWERS, Metrics
from domain.slots.model import Answer, Slots, Stream
from domain.slots.ports import SlotStore
from domain.slots.turns import Turns
from schemas.errors import TransientError

PATIENCE_S = 3.0
"""How long a member waits for the store at most."""
ATTEMPTS = 4
AGAIN_S = 0.1
"""At most, before the next attempt."""


class Leases:
    """``store`` returns the store, and raises TransientError until there is a connection. No method raises."""

    def __init__(self, store: Callable[[], SlotStore], metrics: Metrics, patience_s: float = PATIENCE_S) -> None:
        self._store = store
        self._metrics = metrics
        self._patience_s = patience_s
        self._turns = Turns()

    async def start(self, account_id: str, allowed: int, stream: Stream, instead_of: str | None = None) -> Answer:
        """A stream begins. ``allowed``: streams of the plan; ``instead_of``: a session that the member stops."""
        return await self._answered("start", lambda store: self._start(store, account_id, allowed, stream, instead_of))

    async def renew(self, account_id: str, allowed: int, stream: Stream, *, playing: bool) -> Answer:
        """A stream goes on, or is paused. If it has no slot any more and plays, it takes one that is free."""
        return await self._answered("renew", lambda store: self._renew(store, account_id, allowed, stream, playing))

    async def stop(self, account_id: str, session: str) -> Answer:
        """A stream ends. Where the store does not answer, the slot becomes free by itself a little later."""
        return await self._answered("stop", lambda store: _stop(store, account_id, session))

    async def _answered(self, asked: str, question: Callable[[SlotStore], Awaitable[Answer]]) -> Answer:
        try:
            async with asyncio.timeout(self._patience_s):
                answer = await self._settled(question)
        except (TransientError, TimeoutError):
            answer = Answer("uncounted")
        self._metrics.increment(SLOT_ANSWERS, asked=asked, verdict=answer.verdict)
        return answer

    async def _settled(self, question: Callable[[SlotStore], Awaitable[Answer]]) -> Answer:
        """Asks again when there was no answer. Every question begins with a read, which shows what became of the one
        before, and of those of others."""
        for _ in range(ATTEMPTS - 1):
            try:
                return await question(self._store())
            except TransientError:
                await asyncio.sleep(random.uniform(0, AGAIN_S))  # not all at once
        return await question(self._store())

    async def _start(
        self, store: SlotStore, account_id: str, allowed: int, stream: Stream, instead_of: str | None
    ) -> Answer:
        slots = await store.slots(account_id)
        if slots.number_of(stream.session) is not None:
            return Answer("held")
        number = slots.number_of(instead_of)
        if number is None:
            number = next((each for each, slot in slots.taken.items() if stream.repeats(slot.stream)), None)
        if number is not None:
            holder, replaced = slots.taken[number].stream.session, slots.taken[number].replaced
            if len(slots.taken) > allowed:  # the plan became smaller
                await store.release(account_id, number, holder)
            elif await store.take_over(
                account_id, number, stream, holder, instead_of if holder == instead_of else replaced
            ):
                return Answer("held")
            slots = await store.slots(account_id)
        return await self._take(store, account_id, allowed, stream, slots, starts=True)

    async def _renew(self, store: SlotStore, account_id: str, allowed: int, stream: Stream, playing: bool) -> Answer:
        slots = await store.slots(account_id)
        if (number := slots.number_of(stream.session)) is not None:
            if await (store.renew if playing else store.pause)(account_id, number, stream):
                return Answer("held")
            slots = await store.slots(account_id)
        successors = slots.instead_of(stream.session)
        if successors or stream.session in slots.stopped:  # the latter: a report that was slower than the last one
            return Answer("replaced", successors)
        if not playing:
            return Answer("given_back")
        return await self._take(store, account_id, allowed, stream, slots)

    async def _take(
        self,
        store: SlotStore,
        account_id: str,
        allowed: int,
        stream: Stream,
        slots: Slots,
        *,
        starts: bool = False,
    ) -> Answer:
        """Asks for free slots only, since a refusal needs no write."""
        if slots.number_of(stream.session) is not None:
            return Answer("held")
        others = {number: slot.stream for number, slot in slots.taken.items()}
        if len(others) < allowed:
            async with self._turns.of(account_id) as found:
                for number in range(allowed):
                    if number not in others:
                        holder = found.get(number) or await store.take(account_id, number, stream)
                        if (
                            starts
                            and stream.repeats(holder)
                            and await store.take_over(account_id, number, stream, holder.session, None)
                        ):
                            holder = stream
                        found[number] = others[number] = holder
                        if holder.session == stream.session:
                            return Answer("held")
        return Answer("full", tuple(others[number] for number in sorted(others)))


async def _stop(store: SlotStore, account_id: str, session: str) -> Answer:
    slots = await store.slots(account_id)
    if (number := slots.number_of(session)) is not None:
        await store.release(account_id, number, session)
    return Answer("given_back")
