"""Lets a test decide in which order the calls of several tasks reach the stores, and what becomes of each."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from typing import Any, Literal

from schemas.errors import TransientError

Fate = Literal["go", "kill", "refuse", "lose the answer", "come later"]
"""``come later``: the caller gets no answer, and the effect happens at some later time."""
TURNS = 12
"""Turns of the event loop after which every task waits for a store again."""


@dataclass(frozen=True, slots=True)
class Call:
    actor: str
    method: Callable[..., Coroutine[Any, Any, Any]]
    arguments: tuple[Any, ...]
    answer: asyncio.Future[Any]


class Interleaving:
    """Tasks on a separate event loop; ``calls`` are those that wait to reach a store."""

    def __init__(self, unanswered: Callable[[Call], None]) -> None:
        """``unanswered`` does what a call does whose caller gets no answer."""
        self._loop = asyncio.new_event_loop()
        self._unanswered = unanswered
        self.calls: list[Call] = []
        self.later: list[Call] = []
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def start(self, actor: str, work: Awaitable[None]) -> None:
        async def run() -> None:
            await work

        self._tasks[actor] = self._loop.create_task(run())
        self._turn()

    def running(self, prefix: str) -> list[str]:
        return [actor for actor in self._tasks if actor.startswith(prefix)]

    def through(self, actor: str, store: object) -> Any:
        """The store as this actor sees it: each call waits until it is let through."""
        return _Through(self, actor, store)

    def let_through(self, actor: str, choice: int, fate: Fate = "go") -> None:
        """One of the calls that a task waits for, if any."""
        mine = [call for call in self.calls if call.actor == actor]
        if mine:
            self.let(mine[choice % len(mine)], fate)

    def let(self, call: Call, fate: Fate = "go") -> None:
        self.calls.remove(call)
        if fate == "kill":
            self._cancel(call.actor)
            self.calls = [other for other in self.calls if other.actor != call.actor]
        elif fate == "go":
            try:
                call.answer.set_result(done(call.method(*call.arguments)))
            except TransientError as error:
                call.answer.set_exception(error)
        else:
            if fate == "lose the answer":
                self._unanswered(call)
            elif fate == "come later":
                self.later.append(call)
            call.answer.set_exception(TransientError(fate))
        self._turn()

    def arrive(self, choice: int) -> None:
        """One of the calls that were to come later comes now."""
        self._unanswered(self.later.pop(choice % len(self.later)))

    def finish(self) -> None:
        """Let everything through that waits, in order."""
        while self.calls:
            self.let(self.calls[0])

    def _cancel(self, actor: str) -> None:
        if actor in self._tasks:  # it may have ended with one of two calls still waiting
            self._tasks.pop(actor).cancel()

    def close(self) -> None:
        for task in self._tasks.values():
            task.cancel()
        self._turn()
        self._loop.close()

    def _turn(self) -> None:
        async def turns() -> None:
            for _ in range(TURNS):
                await asyncio.sleep(0)

        self._loop.run_until_complete(turns())
        for actor, task in list(self._tasks.items()):
            if task.done():
                del self._tasks[actor]
                task.result()  # a failure of the code under test is a failure of the test

    async def reach(
        self, actor: str, method: Callable[..., Coroutine[Any, Any, Any]], arguments: tuple[Any, ...]
    ) -> Any:
        call = Call(actor, method, arguments, self._loop.create_future())
        self.calls.append(call)
        return await call.answer


class _Through:
    def __init__(self, interleaving: Interleaving, actor: str, store: object) -> None:
        self._interleaving = interleaving
        self._actor = actor
        self._store = store

    def __getattr__(self, name: str) -> Callable[..., Awaitable[Any]]:
        method = getattr(self._store, name)

        async def call(*arguments: Any) -> Any:
            return await self._interleaving.reach(self._actor, method, arguments)

        return call


def done(effect: Coroutine[Any, Any, Any]) -> Any:
    """The fakes never wait, so one push runs them to their end."""
    try:
        effect.send(None)
    except StopIteration as end:
        return end.value
    raise AssertionError("a fake waited")
