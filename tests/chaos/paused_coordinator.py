"""A compaction whose publish is coordinated by a node that hangs."""

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

from cassandra.cluster import EXEC_PROFILE_DEFAULT, Session
from cassandra.policies import WrapperPolicy

from domain.history.compaction import Compactor, Step, no_hook
from domain.history.versions import Metadata, Version
from infra.stores.compressed_vh_cassandra import CompressedVH
from infra.stores.history_cassandra import LiveVH
from tests.chaos.compactor import RULES
from tests.chaos.member_oracle import NOW, Member

Fate = Literal["asks on", "is overtaken", "dies"]
FATES: tuple[Fate, ...] = ("asks on", "is overtaken", "dies")
LATER_S = 0.008
"""Half of the nodes hang up to this long after the request, the others before they read it."""


class Steered:
    """Both stores on a session whose first node can be chosen."""

    def __init__(self, session: Session) -> None:
        profile = session.get_execution_profile(EXEC_PROFILE_DEFAULT)
        self.policy = profile.load_balancing_policy = First(profile.load_balancing_policy)
        self.live, self.compressed = LiveVH(session), _Noting(session)


class First(WrapperPolicy):  # type: ignore[misc]
    """A policy by which a chosen node is asked first."""

    address: str | None = None

    def make_query_plan(self, working_keyspace: Any = None, query: Any = None) -> Iterator[Any]:
        plan = self._child_policy.make_query_plan(working_keyspace, query)
        return iter(sorted(plan, key=lambda host: host.address != self.address) if self.address else plan)


class _Noting(CompressedVH):
    asked: Version | None = None
    """The version that was to be published last."""

    async def publish(self, profile_id: str, base: Version | None, new: Metadata) -> Version | None:
        self.asked = new.version
        return await super().publish(profile_id, base, new)


class Died(Exception):
    """The compactor's end."""


@dataclass
class Hanging:
    member: Member
    steered: Steered
    node: str
    """Where the one that hangs is."""
    other: str
    """Where another is."""
    pid: int
    fate: Fate
    """What becomes of the compactor that waits for an answer in vain."""
    unanswered: bool = False
    timer: asyncio.TimerHandle | None = None

    async def compact(self) -> str:
        """Says how it went. The node has gone on by then, unless another compactor won."""
        member, compressed = self.member, self.steered.compressed
        compactor = self._compactor(self._at, self._no_answer)
        try:
            outcome = await member.answer(lambda: compactor.compact(member.profile_id))
        except Died:
            os.kill(self.pid, signal.SIGCONT)
            there = await member.answer(lambda: compressed.metadata_serial(member.profile_id))
            happened = there is not None and there.version == compressed.asked
            return f"no answer, died; it {'happened' if happened else 'did not happen'}"
        return f"no answer, {self.fate}: {outcome}" if self.unanswered else f"answered in time: {outcome}"

    def _compactor(
        self, at: Callable[[Step], Awaitable[None]] = no_hook, wait: Callable[[float], Awaitable[None]] = asyncio.sleep
    ) -> Compactor:
        steered = self.steered
        return Compactor(steered.live, steered.compressed, self.member.metrics, RULES, lambda: NOW, at, wait)

    async def _at(self, step: Step) -> None:
        if step is Step.PUBLISHING and not self.timer:
            self.steered.policy.address = self.node
            if self.member.random.random() < 0.5:
                self._hang()
            self.timer = asyncio.get_running_loop().call_later(self.member.random.random() * LATER_S, self._hang)
        elif step is Step.PUBLISHED and self.timer:
            self.timer.cancel()
            os.kill(self.pid, signal.SIGCONT)
            self.steered.policy.address = None

    async def _no_answer(self, seconds: float) -> None:
        first, self.unanswered = not self.unanswered, True
        self.steered.policy.address = None
        if first and self.fate == "dies":
            raise Died
        if first and self.fate == "is overtaken":
            self.steered.policy.address = self.other
            await self.member.answer(lambda: self._compactor().compact(self.member.profile_id))
        await asyncio.sleep(seconds)

    def _hang(self) -> None:
        os.kill(self.pid, signal.SIGSTOP)
