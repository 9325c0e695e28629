"""What the live page knows now: the newest answer of every source, put together into one document."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import msgspec

from domain.titles.catalogue import Catalogue
from schemas.events import DeadLetter, Playback, ViewingRecord
from schemas.topics import DEAD_LETTERS, EVENT_TOPICS
from services.ops.document import (
    NEVER,
    Alerts,
    DeadLetters,
    Experience,
    Ledger,
    Live,
    ProcessHealth,
    Refusal,
    Source,
    Write,
)
from services.ops.issues import REFUSED, troubles
from services.ops.pipeline_health import GROUPS, Offsets
from services.ops.rolling_series import Trail

KEEP_MS = 10 * 60 * 1000
LATELY_MS = 5 * 60 * 1000
SHOWN = 12
"""Rows of the lists that show the newest of something."""
MEMBERS_KEPT = 2_000
SOURCES = {
    "kafka": "Kafka",
    "cassandra": "Cassandra",
    "lake": "Object store",
    "registry": "Schema registry",
    "processes": "Process metrics",
}


@dataclass(slots=True)
class Health:
    """One source's last word."""

    read_at: int | None = None
    error: str | None = NEVER

    def answered(self, at: int) -> bool:
        """True if it was away until now."""
        was_away, self.read_at, self.error = self.error is not None, at, None
        return was_away

    def failed(self, error: str) -> bool:
        """True if it was not away until now, or never has been here."""
        was_here, self.error = self.error is None or self.error == NEVER, error
        return was_here


@dataclass(slots=True)
class Board:
    """Filled by the pollers, read by the pages; both on the one event loop, so nothing is locked."""

    catalogue: Catalogue
    sources: dict[str, Health] = field(default_factory=lambda: {name: Health() for name in SOURCES})
    offsets: Offsets | None = None
    refusals: Sequence[DeadLetter] = ()
    playback: Sequence[Playback] = ()
    """Each session's newest event, newest session first."""
    stored: Mapping[str, ViewingRecord] = field(default_factory=dict)
    """By session: what the history answers for those sessions."""
    processes: Sequence[ProcessHealth] = ()
    experience: Experience | None = None
    starts_last_week: float | None = None
    ledger: Ledger | None = None
    alerts: Alerts = field(default_factory=lambda: Alerts("none"))
    members: dict[str, Playback] = field(default_factory=dict)
    """Each member's newest event that was seen, the member seen last at the end."""
    _appended: Trail = field(default_factory=lambda: Trail(KEEP_MS))
    _behind: Trail = field(default_factory=lambda: Trail(KEEP_MS))

    def saw_offsets(self, at: int, offsets: Offsets) -> None:
        self.offsets = offsets
        totals = {family: self.total(topic.name) for family, topic in EVENT_TOPICS.items()}
        self._appended.add(at, totals | {REFUSED: self.total(DEAD_LETTERS.name)})
        self._behind.add(at, {group: offsets.lag(group) for group in GROUPS})

    def played(self, newest: Sequence[Playback]) -> None:
        """Events, newest first: the newest of each session stays, and of each member."""
        sessions: dict[str, Playback] = {}
        for event in newest:
            seen = sessions.get(event.playback_session_id)
            if seen is None or event.seq > seen.seq:
                sessions[event.playback_session_id] = event
        self.playback = list(sessions.values())
        for event in reversed(self.playback):
            self.members.pop(event.profile_id, None)
            self.members[event.profile_id] = event
        for profile_id in list(self.members)[:-MEMBERS_KEPT]:
            del self.members[profile_id]

    def total(self, topic: str) -> int:
        """Records ever appended to a topic."""
        ends = self.offsets.ends if self.offsets else {}
        return sum(end for (name, _), end in ends.items() if name == topic)

    def live(self, at: int) -> Live:
        live = Live(
            at=at,
            sources=[Source(name, SOURCES[name], s.read_at, s.error) for name, s in self.sources.items()],
            alerts=self.alerts,
            troubles=[],
            rates=self._appended.rates(),
            lag=self._behind.values(),
            groups=list(GROUPS),
            dead_letters=DeadLetters(self.total(DEAD_LETTERS.name), [_refusal(d) for d in self.refusals[:SHOWN]]),
            ledger=self.ledger,
            writes=[self._write(event) for event in self.playback[:SHOWN]],
            processes=list(self.processes),
            experience=self.experience,
            starts_last_week=self.starts_last_week,
        )
        return msgspec.structs.replace(live, troubles=troubles(live, self._appended.growth(LATELY_MS)))

    def unseen(self) -> set[str]:
        """The members of whose shown sessions the history has not yet answered the newest state."""
        return {event.profile_id for event in self.playback[:SHOWN] if not self._is_stored(event)}

    def _is_stored(self, event: Playback) -> bool:
        stored = self.stored.get(event.playback_session_id)
        return stored is not None and stored.seq >= event.seq

    def _write(self, event: Playback) -> Write:
        stored = self.stored.get(event.playback_session_id)
        title = self.catalogue.title(event.title_id)
        return Write(
            profile_id=event.profile_id,
            playback_session_id=event.playback_session_id,
            title_id=event.title_id,
            title=title.label,
            year=title.year,
            device_type=event.device_type,
            country=event.country,
            player_state=(stored or event).player_state,
            position_ms=(stored or event).playhead_ms,
            duration_ms=event.duration_ms,
            received_at=event.received_at,
            stored=self._is_stored(event),
        )


def _refusal(letter: DeadLetter) -> Refusal:
    place = letter.topic or "no topic could be told"
    if letter.partition is not None:
        place = f"{letter.topic}[{letter.partition}]@{letter.offset}"
    return Refusal(letter.failed_at, letter.step, letter.error_class, letter.reason, letter.field, place)
