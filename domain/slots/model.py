"""A plan allows a number of streams at once. Each stream has a slot of its account, which are numbered from 0."""

from collections.abc import Mapping, Set
from dataclasses import dataclass
from typing import Literal, NamedTuple


@dataclass(frozen=True, slots=True)
class Stream:
    """A play that has a slot, or asks for one."""

    session: str
    """Its playback session, a UUIDv7."""
    profile_id: str
    device_id: str
    device: str
    """What people call the device."""
    title_id: str

    @property
    def since(self) -> int:
        """When it was started, in milliseconds since the epoch: the time in the session's id."""
        return int(self.session[:8] + self.session[9:13], 16)

    def repeats(self, other: "Stream") -> bool:
        """Whether this is a second start of the same title on the same device. A client whose first answer was lost
        asks again, and knows no session of the first."""
        same = (self.device_id, self.title_id) == (other.device_id, other.title_id)
        return same and self.session != other.session


class Slot(NamedTuple):
    """A slot that is taken."""

    stream: Stream
    replaced: str | None = None
    """The session that had it before and was stopped, by a member who wanted the slot or by its own player, as long as
    a report of it may still come."""


class Slots(NamedTuple):
    """An account's slots at one moment."""

    taken: Mapping[int, Slot]
    """By number."""
    stopped: Set[str] = frozenset()
    """Sessions that freed a slot within the last lease, which nobody has taken since."""

    def number_of(self, session: str | None) -> int | None:
        """Of the slot that a session has."""
        return next((number for number, slot in self.taken.items() if slot.stream.session == session), None)

    def instead_of(self, session: str) -> tuple[Stream, ...]:
        """Streams that have the slot which that session had when it was stopped."""
        return tuple(slot.stream for slot in self.taken.values() if slot.replaced == session)


Verdict = Literal["held", "uncounted", "full", "replaced", "given_back"]


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of a stream's question for its slot.

    held: it has one. uncounted: the store did not answer, so it plays without. full: all slots have other streams.
    replaced: it was stopped, by its player or to watch something else. given_back: it was paused for too long, so its
    slot is free.
    """

    verdict: Verdict
    others: tuple[Stream, ...] = ()
    """full, replaced: the streams that have the slots."""

    @property
    def may_play(self) -> bool:
        return self.verdict in ("held", "uncounted")
