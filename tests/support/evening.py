"""An invented evening at a small streaming service: what the services' ports would answer, without any engine.

Seeded, so that every run shows the same evening; only its clock is given.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

import msgspec

from domain.history.ports import LivePart
from domain.history.reading import HistoryReader
from domain.ledger.state import HOUR_MS, Finding, HourCounts, ReconciliationState
from domain.processes import BY_NAME
from domain.quality.figures import Figures, empty
from domain.quality.tally import MinuteFigures
from domain.recommendations.model import Recommendation, RecommendationList
from domain.support.updates import MemberError, SessionReport
from domain.titles.catalogue import CATALOGUE_KEY
from schemas.errors import TransientError
from schemas.events import DeadLetter, Playback, Record, ViewingRecord
from schemas.topics import DEAD_LETTERS, EVENT_TOPICS, TOPICS, Partition
from services.history.routes import Stores as HistoryStores
from services.ops.ports import Stores
from tests.support.evening_incidents import REFUSALS, tell_support
from tests.support.evening_viewing import DAY, MEMBER, MEMBERS, MINUTE, RECOMMENDED, record, session, session_id, titles
from tests.support.fake_history import FakeCompressedVH
from tests.support.fake_metrics import FakeMetrics
from tests.support.fake_quality import FakeSupport
from tests.support.fakes import FakeRecommendations

PARTITIONS = 4
A_SECOND = {"ui": 41, "playback": 164, "error": 2, "diagnostic": 9, "processing": 1, "performance": 23}
"""Events per second on a usual evening."""
APPS = (
    ("tv", "9.3.2", 160, 1_900, 1),
    ("tv", "9.4.0", 90, 4_300, 30),
    ("phone", "24.11.0", 120, 1_400, 1),
    ("desktop", "2026.46", 60, 1_100, 0),
    ("set_top_box", "3.9.0", 25, 2_200, 0),
)
"""Device, version; a minute's views, their median startup in ms, and failures."""


def _minute(
    minute: int, device_type: str, app_version: str, views: int, startup_ms: int, failures: int
) -> MinuteFigures:
    figures = empty(("device",))
    for number in range(views - failures):
        figures.start(startup_ms * (50 + number % 100) // 100)
    more = Figures(
        views=views,
        failures=failures,
        viewers=views * 30,
        playing_ms=views * 30 * MINUTE,
        rebuffers=startup_ms // 40,
        rebuffer_ms=startup_ms * views,
    )
    figures.add(more)
    return MinuteFigures(minute, ("device", device_type, app_version), figures)


@dataclass
class Evening:
    """Satisfies the ports LiveReads, SupportReads, LedgerReader, Minutes, EventLog and ObjectReader.

    ``away``: the engines that don't answer.
    """

    now: int
    random: Random = field(default_factory=lambda: Random(7))
    away: set[str] = field(default_factory=set)
    ends: dict[Partition, int] = field(default_factory=dict)
    in_lake: dict[Partition, int] = field(default_factory=dict)
    sessions: list[Playback] = field(default_factory=list)
    rows: dict[str, dict[str, ViewingRecord]] = field(default_factory=dict)
    compressed: FakeCompressedVH = field(default_factory=FakeCompressedVH)
    recommendations: FakeRecommendations = field(default_factory=FakeRecommendations)
    support: FakeSupport = field(default_factory=FakeSupport)
    apps: Sequence[tuple[str, str, int, int, int]] = APPS
    alerts: list[dict[str, Any]] | None = None
    """As Alertmanager shows them; None = no monitoring runs."""
    letters: list[DeadLetter] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    """The profiles that were read."""
    missing: dict[Partition, tuple[Finding, ...]] = field(default_factory=dict)
    """What the ledger misses."""
    metrics: FakeMetrics = field(default_factory=FakeMetrics)

    @property
    def history(self) -> HistoryReader:
        return HistoryReader(self, self.compressed, FakeMetrics())

    async def stores(self) -> Stores:
        return Stores(self.history, self.recommendations, self, self, self)

    async def history_stores(self) -> HistoryStores:
        return HistoryStores(self.history, self.recommendations)

    def __post_init__(self) -> None:
        tell_support(self.support, self.now)
        self.ends = {(topic, number): 0 for topic in TOPICS for number in range(PARTITIONS)}
        self.in_lake = dict(self.ends)
        for profile_id in MEMBERS:
            for days in range(16 if profile_id == MEMBER else 5):
                for hours in self.random.sample(range(5), 2):
                    started_at = self.now - days * DAY - hours * 37 * MINUTE - self.random.randrange(MINUTE)
                    self._play(session(self.random, profile_id, started_at, self.now))
        self.recommendations.lists["profile", MEMBER] = RecommendationList(
            "ranker", self.now - DAY, tuple(Recommendation(*each) for each in RECOMMENDED)
        )
        self._append("playback", 211_000)
        self._append("ui", 52_000)
        for number, refusal in enumerate(REFUSALS):
            self._refuse(number, *refusal)
        self.flush()

    def pass_time(self, seconds: float) -> None:
        """Members watch on, the lake falls a little behind and catches up."""
        before, self.now = self.now, self.now + int(seconds * 1000)
        for family, rate in A_SECOND.items():
            swing = 1 + 0.25 * self.random.random() + (0.6 if (self.now // 50_000) % 3 == 0 else 0)
            self._append(family, int(rate * swing * seconds))
        for place, event in enumerate(self.sessions):
            if event.player_state == "playing" and self.random.random() < 0.5:
                step = self.now - before
                event = msgspec.structs.replace(
                    event,
                    seq=event.seq + 1,
                    received_at=self.now,
                    event_time=self.now,
                    playhead_ms=min(event.playhead_ms + step, event.duration_ms or 0),
                    watched_ms=min(event.watched_ms + step, event.duration_ms or 0),
                )
                self.sessions[place] = event
                self._store(event)
        if self.random.random() < 0.4:
            self.flush()

    def flush(self) -> None:
        """The lake writes all that Kafka has."""
        self.in_lake = dict(self.ends)

    def _append(self, family: str, count: int) -> None:
        topic = EVENT_TOPICS[family].name
        for number in range(PARTITIONS):
            self.ends[topic, number] += count // PARTITIONS + (number < count % PARTITIONS)

    def _play(self, event: Playback) -> None:
        self.sessions.append(event)
        self._store(event)

    def _store(self, event: Playback) -> None:
        self.rows.setdefault(event.profile_id, {})[event.playback_session_id] = record(event)

    def _refuse(
        self, number: int, step: str, error_class: str, reason: str, at_field: str | None, partition: int | None
    ) -> None:
        self.letters.append(
            DeadLetter(
                dead_letter_id=session_id(self.random),
                failed_at=self.now - (number * 7 + 1) * MINUTE,
                step=step,
                error_class=error_class,
                reason=reason,
                field=at_field,
                topic=EVENT_TOPICS["playback"].name,
                partition=partition,
                offset=None if partition is None else 4211 + number,
            )
        )
        self.ends[DEAD_LETTERS.name, number % PARTITIONS] += 1

    def _answers(self, engine: str, reason: str) -> None:
        if engine in self.away:
            raise TransientError(reason)

    # Minutes

    async def minutes(self, label_set: str, first: int, last: int) -> list[MinuteFigures]:
        """Televisions' newest version fails and starts slowly; it is the one to notice."""
        self._answers("cassandra", "no node of Cassandra can be reached")
        return [_minute(minute, *app) for minute in range(first, last + 1) for app in self.apps]

    # LedgerReader

    async def state(self, topic_id: str, partition: int) -> ReconciliationState:
        """Three quarters of what the lake holds was received in the hour before."""
        self._answers("cassandra", "no node of Cassandra can be reached")
        taken, hour = self.in_lake[topic_id.removeprefix("id-"), partition], self.now // HOUR_MS
        counts = {hour - 1: taken * 3 // 4, hour: taken - taken * 3 // 4}
        return ReconciliationState(
            position=taken,
            findings=self.missing.get((topic_id.removeprefix("id-"), partition), ()),
            hours={hour: HourCounts(count, 0, 0, taken) for hour, count in counts.items() if count},
        )

    # LiveReads

    async def part(self, profile_id: str, limit: int, before: str | None = None) -> LivePart:
        assert before is None
        self._answers("cassandra", "no node of Cassandra can be reached")
        self.asked.append(profile_id)
        return LivePart(list(self.rows.get(profile_id, {}).values()), None)

    # SupportReads

    async def reports(self, profile_id: str, limit: int) -> Sequence[SessionReport]:
        self._answers("cassandra", "no node of Cassandra can be reached")
        return await self.support.reports(profile_id, limit)

    async def errors(self, profile_id: str, limit: int) -> Sequence[MemberError]:
        self._answers("cassandra", "no node of Cassandra can be reached")
        return await self.support.errors(profile_id, limit)

    # EventLog

    def offsets(self) -> tuple[Mapping[Partition, int], Mapping[Partition, int]]:
        self._answers("kafka", "no broker can be reached")
        return dict.fromkeys(self.ends, 0), dict(self.ends)

    def committed(self, group: str, partitions: Iterable[Partition]) -> Mapping[Partition, int]:
        if group == BY_NAME["lake"].group:
            return dict(self.in_lake)
        return {at: max(0, end - (end * 7 + self.now) % 23) for at, end in self.ends.items()}

    def topic_ids(self) -> Mapping[str, str]:
        return {topic: f"id-{topic}" for topic in TOPICS}

    def newest(self, topic: str, count: int) -> Sequence[tuple[int, Record]]:
        self._answers("registry", "the schema registry does not answer")
        if topic == DEAD_LETTERS.name:
            return [(letter.failed_at, letter) for letter in self.letters[:count]]
        events = sorted(self.sessions, key=lambda event: event.received_at, reverse=True)
        return [(event.received_at, event) for event in events[: count * PARTITIONS]]

    def ping_registry(self) -> None:
        self._answers("registry", "the schema registry does not answer")

    async def ping_mariadb(self) -> None:
        self._answers("mariadb", "no node takes writes")

    def write_probe(self) -> None:
        self._answers("lake", "the object store refuses connections")
        self._answers("room", "No writable volumes")

    # ObjectReader

    def head(self, key: str) -> dict[str, str]:
        self.get(key)
        return {}

    def list(self, prefix: str, start_after: str = "") -> Iterator[str]:
        self._answers("lake", f"the object store refuses connections: http://127.0.0.1:8333/lake?prefix={'raw' * 20}")
        yield from (key for key in (CATALOGUE_KEY,) if key.startswith(prefix) and key > start_after)

    def get(self, key: str) -> bytes:
        self._answers("lake", "the object store refuses connections")
        assert key == CATALOGUE_KEY
        return titles()
