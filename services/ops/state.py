"""The newest answer of every source, composed into the live page's document."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

import msgspec

from domain.processes import consumer_groups
from domain.titles.catalogue import Catalogue
from schemas.errors import bounded
from schemas.events import DeadLetter, Playback, ViewingRecord
from schemas.topics import DEAD_LETTERS, EVENT_TOPICS
from services.ops.document import (
    NEVER,
    Alerts,
    DeadLetters,
    DeadLetterSummary,
    Experience,
    Ledger,
    Live,
    ProcessHealth,
    Source,
    Write,
)
from services.ops.issues import DEAD_LETTER_COUNT, issues
from services.ops.pipeline_health import Offsets
from services.ops.rolling_series import RollingSeries

SERIES_MS = 10 * 60 * 1000
ISSUES_WINDOW_MS = 5 * 60 * 1000
SHOWN = 12
"""Rows in a list of the newest."""
MAX_MEMBERS = 2_000
SOURCES = {
    "kafka": "Kafka",
    "cassandra": "Cassandra",
    "mariadb": "MariaDB",
    "lake": "Object store",
    "registry": "Schema registry",
    "processes": "Process metrics",
    "lake_writes": "Object store, writes",
}


@dataclass(slots=True)
class SourceHealth:
    read_at: int | None = None
    error: str | None = NEVER

    def answered(self, at: int) -> bool:
        """Returns whether it was unreachable until now."""
        was_unreachable, self.read_at, self.error = self.error is not None, at, None
        return was_unreachable

    def failed(self, error: str) -> bool:
        """Returns whether this is news: it answered until now, or was never asked."""
        is_news, self.error = self.error is None or self.error == NEVER, error
        return is_news


@dataclass(slots=True)
class OpsState:
    """Written by the pollers, read by the pages, on one event loop: no locks."""

    catalogue: Catalogue
    groups: Mapping[str, Collection[str]] = field(default_factory=consumer_groups)
    """Topics by consumer group."""
    sources: dict[str, SourceHealth] = field(default_factory=lambda: {name: SourceHealth() for name in SOURCES})
    offsets: Offsets | None = None
    dead_letters: Sequence[DeadLetter] = ()
    playback: Sequence[Playback] = ()
    """Each session's newest event, newest session first."""
    stored: Mapping[str, ViewingRecord] = field(default_factory=dict)
    """By session: what the history answers."""
    processes: Sequence[ProcessHealth] = ()
    experience: Experience | None = None
    starts_last_week: float | None = None
    ledger: Ledger | None = None
    alerts: Alerts = field(default_factory=lambda: Alerts("off"))
    members: dict[str, Playback] = field(default_factory=dict)
    """Each member's newest event; the member seen last is at the end."""
    _appended: RollingSeries = field(default_factory=lambda: RollingSeries(SERIES_MS))
    _lag: RollingSeries = field(default_factory=lambda: RollingSeries(SERIES_MS))

    def observe_offsets(self, at: int, offsets: Offsets) -> None:
        self.offsets = offsets
        totals = {family: self.total(topic.name) for family, topic in EVENT_TOPICS.items()}
        self._appended.add(at, totals | {DEAD_LETTER_COUNT: self.total(DEAD_LETTERS.name)})
        self._lag.add(at, {group: offsets.lag(group) for group in self.groups})

    def observe_playback(self, newest: Sequence[Playback]) -> None:
        """``newest``: events, newest first. Keeps the newest of each session and of each member."""
        sessions: dict[str, Playback] = {}
        for event in newest:
            seen = sessions.get(event.playback_session_id)
            if seen is None or event.seq > seen.seq:
                sessions[event.playback_session_id] = event
        self.playback = list(sessions.values())
        for event in reversed(self.playback):
            self.members.pop(event.profile_id, None)
            self.members[event.profile_id] = event
        for profile_id in list(self.members)[:-MAX_MEMBERS]:
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
            issues=[],
            rates=self._appended.rates(),
            lag=self._lag.values(),
            groups=list(self.groups),
            dead_letters=DeadLetters(
                self.total(DEAD_LETTERS.name), [_summary(each) for each in self.dead_letters[:SHOWN]]
            ),
            ledger=self.ledger,
            writes=[self._session(event) for event in self.playback[:SHOWN]],
            processes=list(self.processes),
            experience=self.experience,
            starts_last_week=self.starts_last_week,
        )
        return msgspec.structs.replace(live, issues=issues(live, self._appended.growth(ISSUES_WINDOW_MS)))

    def members_to_read(self) -> set[str]:
        """Members with a shown session whose newest state the history has not answered yet."""
        return {event.profile_id for event in self.playback[:SHOWN] if not self._is_stored(event)}

    def _is_stored(self, event: Playback) -> bool:
        stored = self.stored.get(event.playback_session_id)
        return stored is not None and stored.seq >= event.seq

    def _session(self, event: Playback) -> Write:
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


def _summary(letter: DeadLetter) -> DeadLetterSummary:
    place = letter.topic or "unknown topic"
    if letter.partition is not None:
        place = f"{letter.topic}[{letter.partition}]@{letter.offset}"
    reason, field = bounded(letter.reason, 300), letter.field and bounded(letter.field, 64)
    return DeadLetterSummary(letter.failed_at, letter.step, letter.error_class, reason, field, place)
