"""The slot of a play: when it starts, while it goes on, when it ends. Who finds none learns who watches."""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, Field

from domain.slots.leases import Leases
from domain.slots.model import Answer, Stream
from domain.titles.catalogue import Catalogue
from services.http.errors import Problem, Refusal, problem
from services.playback.happenings import Happenings

RENEWALS = 3
"""In the time of a lease: a player may lose one or two."""
State = Literal["playing", "paused", "stopped"]


class Watching(BaseModel):
    """A stream that has one of the account's slots."""

    playback_session_id: str
    profile_id: str
    device: str = Field(description="As its player named it, or its id.", examples=["TV in the living room"])
    title_id: str
    title: str = Field(examples=["Star Wars"])
    since: int = Field(description="Milliseconds since the epoch.")


class StreamsTaken(Problem):
    """Why a stream has no slot: `too_many_streams`, or `stopped_elsewhere` if this one was stopped."""

    watching: list[Watching] = Field(description="Who watches. A start may stop one of them with `instead_of`.")


STREAMS_TAKEN: dict[int | str, dict[str, Any]] = {
    409: {"model": StreamsTaken, "description": "Other streams have the slots of the account's plan."}
}


class NoSlot(Refusal):
    problem: StreamsTaken

    def __init__(self, code: str, detail: str, watching: Sequence[Watching]) -> None:
        super().__init__(HTTPStatus.CONFLICT, code, detail)
        self.problem = StreamsTaken(**problem(HTTPStatus.CONFLICT, code, detail).model_dump(), watching=[*watching])


class StreamState(BaseModel):
    state: State = Field(
        description="paused: the slot is kept for some minutes. stopped: it is free, and the play is over."
    )


class Lease(BaseModel):
    """Whether a play has a slot."""

    slot: Literal["held", "uncounted", "given_back"] = Field(
        description="uncounted: it plays, though nobody could count it. given_back: it was stopped, or paused for too "
        "long; when a paused one plays again it gets a slot if one is free."
    )
    renew_every_ms: int = Field(description="Report the state this often, and whenever it changes.")


class Streams:
    """``lease_s``: how long a slot is kept without news of its player."""

    def __init__(self, leases: Leases, happenings: Happenings, catalogue: Catalogue, lease_s: int) -> None:
        self._leases = leases
        self._happenings = happenings
        self._catalogue = catalogue
        self._renew_every_ms = lease_s * 1000 // RENEWALS

    async def begin(self, account_id: str, allowed: int, stream: Stream, instead_of: UUID | None) -> Lease:
        """``allowed``: streams of the plan. NoSlot if others have all of them and none is to be stopped."""
        over = str(instead_of) if instead_of else None
        answer = await self._leases.start(account_id, allowed, stream, over)
        self._happenings.started(account_id, allowed, stream, answer, over)
        return self._lease(allowed, answer)

    async def go_on(self, account_id: str, allowed: int, stream: Stream, state: State) -> Lease:
        """NoSlot if the stream must end: another has its slot."""
        if state == "stopped":
            return self._lease(allowed, await self._leases.stop(account_id, stream.session))
        answer = await self._leases.renew(account_id, allowed, stream, playing=state == "playing")
        self._happenings.went_on(account_id, allowed, stream, answer)
        return self._lease(allowed, answer)

    def _lease(self, allowed: int, answer: Answer) -> Lease:
        watching = [self._watching(other) for other in answer.others]
        if answer.verdict == "full":
            raise NoSlot("too_many_streams", _full(allowed, watching), watching)
        if answer.verdict == "replaced":
            by = f" to watch {watching[0].title} on {watching[0].device}" if watching else ""
            detail = f"This stream was stopped{by}."
            raise NoSlot("stopped_elsewhere", detail, watching)
        return Lease(slot=answer.verdict, renew_every_ms=self._renew_every_ms)

    def _watching(self, stream: Stream) -> Watching:
        return Watching(
            playback_session_id=stream.session,
            profile_id=stream.profile_id,
            device=stream.device or stream.device_id,
            title_id=stream.title_id,
            title=self._catalogue.title(stream.title_id).label,
            since=stream.since,
        )


def _full(allowed: int, watching: Sequence[Watching]) -> str:
    if not watching:
        return "Your plan allows no streams."
    streams = "one stream" if allowed == 1 else f"{allowed} streams"
    who = "; ".join(f"{each.profile_id} watches {each.title} on {each.device}" for each in watching)
    return f"Your plan allows {streams} at a time: {who}. Stop one to watch here."
