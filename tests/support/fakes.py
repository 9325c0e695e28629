"""In-memory fakes of the ports. Each passes the contract suite of the real adapter."""

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from hashlib import md5

from domain.lake.keys import Chain
from domain.ledger.collector_counts import CollectorCount
from domain.ledger.state import ReconciliationState
from domain.recommendations.model import Audience, RecommendationList
from producers.ports import Delivery, Headers, Message


class FakeRecommendations:
    """Lists in a dict."""

    def __init__(self) -> None:
        self.lists: dict[tuple[Audience, str], RecommendationList] = {}

    async def write(self, audience: Audience, lists: Mapping[str, RecommendationList]) -> None:
        for owner, made in lists.items():
            there = self.lists.get((audience, owner))
            if there is None or there.made_at <= made.made_at:
                self.lists[audience, owner] = made

    async def recommended(self, audience: Audience, owner: str) -> RecommendationList | None:
        return self.lists.get((audience, owner))


class FakeLedgerStore:
    """Reconciliation states and collectors' counts in dicts."""

    def __init__(self) -> None:
        self.states: dict[tuple[str, int], ReconciliationState] = {}
        self.rows: dict[tuple[int, str, str], CollectorCount] = {}

    def load(self, chain: Chain) -> ReconciliationState:
        return self.states.get((chain.topic_id, chain.partition), ReconciliationState())

    def save(self, chain: Chain, state: ReconciliationState) -> bool:
        if self.load(chain).version != state.version:
            return False
        self.states[chain.topic_id, chain.partition] = state.next_version()
        return True

    def counts(self, hour: int) -> list[CollectorCount]:
        return [row for (at, _, _), row in sorted(self.rows.items()) if at == hour]

    def save_counts(self, rows: Iterable[CollectorCount]) -> None:
        self.rows |= {(row.hour, row.collector, row.family): row for row in rows}


class FakeLog:
    """Kafka in a list. ``delivery`` decides what becomes of each message.

    A closed ``gate`` lets publishers wait; ``asked`` is set when one has come.
    """

    def __init__(self, delivery: Callable[[Message], Delivery] = lambda _: "acknowledged") -> None:
        self.stored: list[Message] = []
        self.headers: list[Headers] = []
        """Of each stored message."""
        self.delivery = delivery
        self.gate = asyncio.Event()
        self.gate.set()
        self.asked = asyncio.Event()
        self.closed = False

    async def publish(self, messages: Sequence[Message], headers: Headers = ()) -> list[Delivery]:
        self.asked.set()
        await self.gate.wait()
        deliveries: list[Delivery] = ["failed" if len(m.value) > 2 * 2**20 else self.delivery(m) for m in messages]
        for message, delivery in zip(messages, deliveries, strict=True):
            if delivery == "acknowledged":
                self.stored.append(message)
                self.headers.append([*headers])
        return deliveries

    async def ready(self) -> bool:
        return not self.closed

    def close(self) -> None:
        self.closed = True


class FakeObjectStore:
    """An object store in a dict."""

    def __init__(self) -> None:
        self.objects: dict[str, tuple[bytes, dict[str, str]]] = {}

    def put_if_absent(self, key: str, body: bytes, metadata: Mapping[str, str]) -> bool:
        if key in self.objects:
            return False
        self.objects[key] = (body, dict(metadata))
        return True

    def put(self, key: str, body: bytes) -> None:
        self.objects[key] = (body, {})

    def head(self, key: str) -> dict[str, str]:
        return dict(self.objects[key][1])

    def get(self, key: str) -> bytes:
        return self.objects[key][0]

    def list(self, prefix: str, start_after: str = "") -> Iterator[str]:
        yield from sorted(key for key in self.objects if key.startswith(prefix) and key > start_after)

    def entries(self, prefix: str, start_after: str = "") -> Iterator[tuple[str, str]]:
        yield from (
            (key, md5(self.objects[key][0], usedforsecurity=False).hexdigest())
            for key in self.list(prefix, start_after)
        )

    def delete(self, key: str) -> None:
        self.objects.pop(key, None)
