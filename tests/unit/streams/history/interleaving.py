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
    name: str
    effect: Callable[[], Coroutine[Any, Any, Any]]
    answer: asyncio.Future[Any]


class Interleaving:
    """Tasks on an event loop of their own; ``calls`` are those that wait to reach a store."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
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

    def let(self, call: Call, fate: Fate = "go") -> None:
        self.calls.remove(call)
        if fate == "kill":
            self._tasks.pop(call.actor).cancel()
            self.calls = [other for other in self.calls if other.actor != call.actor]
        elif fate == "go":
            call.answer.set_result(_done(call.effect()))
        else:
            if fate == "lose the answer":
                _done(call.effect())
            elif fate == "come later":
                self.later.append(call)
            call.answer.set_exception(TransientError(fate))
        self._turn()

    def arrive(self, call: Call, effect: Callable[[], Coroutine[Any, Any, Any]] | None = None) -> None:
        """A call that was to come later comes now."""
        self.later.remove(call)
        _done((effect or call.effect)())

    def finish(self) -> None:
        """Let everything through that waits, in order."""
        while self.calls:
            self.let(self.calls[0])

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

    def ask(self, actor: str, name: str, effect: Callable[[], Coroutine[Any, Any, Any]]) -> "asyncio.Future[Any]":
        call = Call(actor, name, effect, self._loop.create_future())
        self.calls.append(call)
        return call.answer


class _Through:
    def __init__(self, interleaving: Interleaving, actor: str, store: object) -> None:
        self._interleaving = interleaving
        self._actor = actor
        self._store = store

    def __getattr__(self, name: str) -> Callable[..., Awaitable[Any]]:
        method = getattr(self._store, name)

        async def call(*arguments: Any) -> Any:
            return await self._interleaving.ask(self._actor, name, lambda: method(*arguments))

        return call


def _done(effect: Coroutine[Any, Any, Any]) -> Any:
    """The fakes never wait, so one push runs them to their end."""
    try:
        effect.send(None)
    except StopIteration as end:
        return end.value
    raise AssertionError("a fake waited")
