"""Posts events until each has a verdict, and retries under the same ids."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Sequence
from itertools import groupby
from typing import Any, Literal, NamedTuple, Protocol

import httpx
import msgspec
import structlog
from tenacity import AsyncRetrying, RetryCallState, RetryError, retry_if_exception_type, wait_random_exponential

from producers.ports import Clock
from schemas.errors import TransientError

REQUEST_EVENTS = 200
LONGEST_RETRY_AFTER_S = 600
"""A collector asks for seconds. What asks for more is something between, and it may be wrong."""
ASK_S = 30.0
"""For a credential. Then it is asked for again."""
SEND_AGAIN = frozenset({"unknown", "not_stored"})
"""Codes that ask for a retry."""

log = structlog.get_logger()

Outcome = Literal["sent", "accepted", "refused", "unanswered"]
"""``sent`` comes before each request. ``unanswered``: the sender gave up, and the event may or may not be stored."""


class PendingEvent(NamedTuple):
    event_id: str
    family: str
    clock_ahead_ms: int
    raw: dict[str, Any]
    """As sent in the request; its ``event_id`` may be corrupt."""


class Reply(NamedTuple):
    status: int
    content: dict[str, Any]
    retry_after_s: float


Credential = str | Callable[[], Awaitable[str]]
"""A key, or what gives a token: asked before the first request and again after each 401. It may fail: events wait."""
Note = Callable[[Sequence[PendingEvent], Outcome, str | None], None]
"""Receives what became of events, and the field at fault if they were refused."""


class Post(Protocol):
    async def __call__(self, body: bytes) -> Reply:
        """Raises TransientError when there was no reply."""
        ...


class Rejected(Exception):
    """The collector has never accepted anything of this client, and refuses its credential."""


class _Retry(Exception):
    def __init__(self, retry_after_s: float) -> None:
        self.retry_after_s = retry_after_s


class HttpPost:
    """``Post`` over HTTP. ``client``: with the collector's address as its base."""

    def __init__(self, client: httpx.AsyncClient, credential: Credential) -> None:
        self._client = client
        self._ask = None if isinstance(credential, str) else credential
        self._known = credential if isinstance(credential, str) else None

    async def __call__(self, body: bytes) -> Reply:
        known = self._known = self._known or await self._asked()
        headers = {"Authorization": f"Bearer {known}", "Content-Type": "application/json"}
        try:
            answer = await self._client.post("/v1/events", content=body, headers=headers)
            content = msgspec.json.decode(answer.content, type=dict[str, Any])
        except httpx.RequestError as error:
            raise TransientError(f"the collector did not answer: {error!r}") from error
        except msgspec.MsgspecError as error:
            raise TransientError("the response is not JSON, so it is not the collector's") from error
        if self._ask and answer.status_code == 401:
            self._known = None
            raise TransientError("the token does not hold any more")
        asked = answer.headers.get("Retry-After", "")
        return Reply(
            answer.status_code, content, min(int(asked[:6]), LONGEST_RETRY_AFTER_S) if asked.isdecimal() else 0
        )

    async def _asked(self) -> str:
        assert self._ask
        try:
            async with asyncio.timeout(ASK_S):
                return await self._ask()
        except Exception as error:
            raise TransientError(f"no token: {error!r}") from error


class Sender:
    def __init__(self, post: Post, note: Note, clock: Clock, give_up: asyncio.Event) -> None:
        """``give_up``: once set, unanswered events are not retried."""
        self.tally: Counter[Outcome] = Counter()
        self._post, self._tell, self._clock, self._give_up = post, note, clock, give_up
        self._encode = msgspec.json.Encoder().encode
        self._known = False
        """Whether a collector has read a request."""
        self._refusal: str | None = None

    async def send(self, events: Iterable[PendingEvent]) -> None:
        """Post all in order; a request holds events of one device. Returns when each has an outcome."""
        for _, run in groupby(events, key=lambda event: event.clock_ahead_ms):
            batch = list(run)
            for start in range(0, len(batch), REQUEST_EVENTS):
                await self._settle(batch[start : start + REQUEST_EVENTS])

    async def _settle(self, batch: list[PendingEvent]) -> None:
        self._note(batch, "sent")
        attempts = AsyncRetrying(
            retry=retry_if_exception_type(_Retry),
            wait=_backoff,
            stop=lambda _: self._give_up.is_set(),
            sleep=self._sleep,
        )
        try:
            async for attempt in attempts:
                with attempt:
                    batch, retry_after_s = await self._try(batch)
                    if batch:
                        raise _Retry(retry_after_s)
        except RetryError:
            self._note(batch, "unanswered")

    async def _try(self, batch: list[PendingEvent]) -> tuple[list[PendingEvent], float]:
        """One request. Returns the events still without a verdict, and how long to wait before the next request."""
        sent_at = self._clock() + batch[0].clock_ahead_ms
        body = self._encode({"sent_at": sent_at, "events": [event.raw for event in batch]})
        try:
            reply = await self._post(body)
        except TransientError:
            return batch, 0
        if reply.status < 500 and reply.status != 429 and "rejected" in reply.content:
            self._known, self._refusal = True, None
            return self._read(batch, reply.content["rejected"]), reply.retry_after_s
        self._refused(reply)
        return batch, reply.retry_after_s

    def _refused(self, reply: Reply) -> None:
        """The whole request was, whatever is in it, or something between answered: its events wait. A key may be right
        again later. Raises Rejected for one that never was."""
        refusal = f"{reply.status}: {reply.content.get('message', 'no reason given')}"
        if reply.status in (401, 403) and "code" in reply.content and not self._known:
            raise Rejected(refusal)
        if refusal != self._refusal:
            log.warning("request refused, its events wait", reason=refusal)
        self._refusal = refusal

    def _read(self, batch: list[PendingEvent], rejected: list[dict[str, Any]]) -> list[PendingEvent]:
        verdicts = {entry["index"]: entry for entry in rejected}
        again = [batch[index] for index, entry in verdicts.items() if entry["code"] in SEND_AGAIN]
        refused = {index: entry for index, entry in verdicts.items() if entry["code"] not in SEND_AGAIN}
        self._note([event for index, event in enumerate(batch) if index not in verdicts], "accepted")
        for index, entry in refused.items():
            self._note([batch[index]], "refused", entry["field"])
        return again

    def _note(self, events: list[PendingEvent], outcome: Outcome, field: str | None = None) -> None:
        self.tally[outcome] += len(events)
        self._tell(events, outcome, field)

    async def _sleep(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._give_up.wait()
        except TimeoutError:
            pass


def _backoff(state: RetryCallState) -> float:
    """``Retry-After`` plus random exponential backoff, so that clients do not return all at once."""
    problem = state.outcome.exception() if state.outcome else None
    asked = problem.retry_after_s if isinstance(problem, _Retry) else 0.0
    return asked + wait_random_exponential(multiplier=0.3, max=20)(state)
