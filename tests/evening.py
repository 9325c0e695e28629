"""An invented evening at a small streaming service: what the services' ports would answer, without any engine.

Seeded, so that every run shows the same evening; only its clock is given.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from random import Random
from typing import Any
from uuid import UUID

import msgspec

from schemas.errors import TransientError
from schemas.events import DeadLetter, Playback, Record, ViewingRecord
from schemas.recommendations import Reason, Recommendation, RecommendationList
from schemas.topics import DEAD_LETTERS, EVENT_TOPICS, TOPICS
from services.catalogue import CATALOGUE_KEY, Title
from services.ports import MemberReads, Partition
from streams.history.reading import HistoryReader
from streams.ledger.account import HOUR_MS, Account, Finding, HourCounts
from streams.pipeline import BY_NAME
from streams.quality.figures import Figures, empty
from streams.quality.support import MemberError, Received, SessionReport
from streams.quality.tally import MinuteFigures
from tests.builders import member_error, playback, session_report
from tests.fakes import FakeCompactionMetrics, FakeCompressedVH, FakePartition, FakeRecommendations, FakeSupport

MINUTE = 60_000
DAY = 24 * 60 * MINUTE
PARTITIONS = 4
A_SECOND = {"ui": 41, "playback": 164, "error": 2, "diagnostic": 9, "processing": 1, "performance": 23}
"""Events per second on a usual evening."""
FILMS = (
    ("ml-50", "Star Wars", 1977, 121),
    ("ml-98", "The Silence of the Lambs", 1991, 118),
    ("ml-100", "Fargo", 1996, 98),
    ("ml-127", "The Godfather", 1972, 175),
    ("ml-181", "Return of the Jedi", 1983, 131),
    ("ml-258", "Contact", 1997, 150),
    ("ml-268", "Chasing Amy", 1997, 113),
    ("ml-269", "The Full Monty", 1997, 91),
    ("ml-286", "The English Patient", 1996, 162),
    ("ml-302", "L.A. Confidential", 1997, 138),
    ("ml-313", "Titanic", 1997, 194),
    ("ml-483", "Casablanca", 1942, 102),
    ("ml-603", "Rear Window", 1954, 112),
    ("ml-655", "Stand by Me", 1986, 89),
    (
        "ml-474",
        "Dr. Strangelove or: How I Learned to Stop Worrying and Love the Bomb",
        1964,
        95,
    ),
)
DEVICES = ("tv", "tv", "tv", "phone", "tablet", "desktop", "set_top_box", "console")
COUNTRIES = ("NL", "DE", "US", "BR", "JP", "FR")
MEMBERS = ("ml-196", "ml-13", "ml-405", "ml-655", "ml-450", "ml-276", "ml-416", "ml-537", "ml-303", "ml-234")
MEMBER = MEMBERS[0]
"""The one with the richest history."""
TROUBLED = MEMBERS[1]
"""The one who calls support."""
RECOMMENDED: tuple[tuple[str, float, Reason, str | None], ...] = (
    ("ml-64", 2.4, "because", "ml-474"),
    ("ml-12", 2.1, "country", "NL"),
    ("ml-318", 1.9, "popular", None),
)
"""Titles that nobody has watched this evening."""
REFUSALS = (
    ("lake", "not_framed", "The payload starts with 7b22657665; it must start with 00 and a schema id.", None, 2),
    ("collector", "out_of_range", "playhead_ms is -4; it must be from 0 to 31622400000.", "playhead_ms", None),
    (
        "collector",
        "in_future",
        "session_started_at is two days ahead; the server's time is 2026-03-02T20:14:09Z.",
        "session_started_at",
        None,
    ),
    ("lake", "bad_format", "country is 'Netherlands'; it must be an ISO 3166-1 alpha-2 code.", "country", 0),
    ("collector", "unknown_field", "Object contains unknown field `playhead`.", "playhead", None),
)


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


def firing(name: str, severity: str, since: int, summary: str = "", silenced_by: Sequence[str] = ()) -> dict[str, Any]:
    """An alert as Alertmanager shows it; ``silenced_by`` names others."""
    return {
        "fingerprint": name,
        "labels": {"alertname": name, "severity": severity},
        "annotations": {"summary": summary, "runbook_url": f"docs/runbooks/{name}.md"},
        "startsAt": datetime.fromtimestamp(since / 1000, UTC).isoformat(),
        "status": {"state": "active", "inhibitedBy": list(silenced_by), "silencedBy": []},
    }


def outage(now: int) -> list[dict[str, Any]]:
    """Televisions fail, and what follows from it is silenced; a ticket has nothing to do with it."""
    return [
        firing("Watchdog", "none", now - DAY),
        firing("CompactionBacklog", "ticket", now - 3 * 60 * MINUTE, "Compactions wait"),
        firing("StartsDropped", "page", now - MINUTE, "Fewer plays start than a week ago", ["PlaybackFailures"]),
        firing("PlaybackFailures", "page", now - 4 * MINUTE, "Playback fails on tv with version 9.4.0"),
    ]


def _troubles(support: FakeSupport, now: int) -> None:
    """What support is told of one member: this evening's television fails, the phone does what it can."""

    def told(number: int, ago_ms: int, lasted_ms: int, received: Received | None, **changes: Any) -> SessionReport:
        at = now - ago_ms
        end = {"event_time": at + lasted_ms, "received_at": at + lasted_ms, "watched_ms": lasted_ms, "seq": 12}
        film = {"title_id": FILMS[number][0], "duration_ms": FILMS[number][3] * MINUTE, "playhead_ms": lasted_ms}
        names = {"session_started_at": at, "device_id": "living-room", "app_version": "9.4.0"}
        report = session_report(TROUBLED, 800 + number, received, **(end | film | names | changes))
        support.tell(report)
        return report

    def met(of: SessionReport | None, number: int, ago_ms: int, **changes: Any) -> None:
        support.tell_error(
            member_error(
                profile_id=TROUBLED,
                event_id=f"018bcfe5-6800-7000-8000-{number:012d}",
                client_time=now - ago_ms,
                event_time=now - ago_ms,
                playback_session_id=of.playback_session_id if of else None,
                **({"app_version": "9.4.0"} | changes),
            )
        )

    never: dict[str, Any] = {"startup_time_ms": None, "watched_ms": 0, "playhead_ms": 0, "player_state": "stopped"}
    failed: dict[str, Any] = never | {"event_type": "error", "error_fatal": True, "error_code": "drm.license_denied"}
    told(0, 40_000, 31_000, Received(7, 7), **(never | {"player_state": "starting", "event_type": "play_requested"}))
    for number, ago in ((1, 3 * MINUTE), (2, 5 * MINUTE), (3, 6 * MINUTE)):
        report = told(number, ago, 4_000, Received(13, 13), **failed)
        met(report, number, ago - 4_000, code="drm.license_denied", message="The licence server answered 403.")
    told(4, 9 * MINUTE, 21_000, Received(13, 13), **(never | {"event_type": "stopped"}))
    phone: dict[str, Any] = {"device_id": "pocket", "device_type": "phone", "app_version": "24.11.0"}
    stalled = {"rebuffer_count": 7, "rebuffer_ms": 48_000, "bitrate_kbps": 560}
    told(5, 40 * MINUTE, 20 * MINUTE, Received(9, 13), **(phone | stalled))
    ended: dict[str, Any] = {"event_type": "ended", "player_state": "stopped"}
    told(6, 26 * 60 * MINUTE, FILMS[6][3] * MINUTE, Received(13, 13), **(ended | {"app_version": "9.3.2"}))
    flight = told(7, 3 * DAY, 80 * MINUTE, None, **(phone | ended | {"received_at": now - 2 * DAY}))
    met(flight, 7, 3 * DAY - 70 * MINUTE, **phone, code="media.decode", message="Frame dropped.", fatal=False)
    met(None, 8, 8 * MINUTE, code="account.token", message="Signed out: the token had expired.", component="account")


def titles() -> bytes:
    rows = (Title(title_id, name, year, minutes * MINUTE, ("Drama",)) for title_id, name, year, minutes in FILMS)
    return b"".join(msgspec.json.encode(row) + b"\n" for row in rows)


def session_id(random: Random) -> str:
    return str(UUID(int=random.getrandbits(128), version=4))


def session(random: Random, profile_id: str, started_at: int, now: int) -> Playback:
    """The newest event of one session that began then."""
    title_id, _, _, minutes = random.choice(FILMS)
    duration = minutes * MINUTE
    watched = min(int(duration * random.choice((0.03, 0.2, 0.45, 0.6, 0.8, 1.0))), max(0, now - started_at))
    running = started_at + duration > now and watched >= now - started_at
    failed = random.random() < 0.08
    stalls = random.choice((0, 0, 0, 1, 2, 6))
    at = started_at + watched
    return playback(
        event_id=session_id(random),
        profile_id=profile_id,
        playback_session_id=session_id(random),
        session_started_at=started_at,
        seq=1 + watched // 30_000,
        title_id=title_id,
        client_time=at,
        sent_at=at,
        received_at=at,
        event_time=at,
        device_type=random.choice(DEVICES),
        country=random.choice(COUNTRIES),
        event_type="error" if failed else "heartbeat" if running else "ended" if watched == duration else "stopped",
        player_state="playing" if running and not failed else "stopped",
        playhead_ms=watched,
        watched_ms=watched,
        duration_ms=duration,
        startup_time_ms=random.randrange(400, 3800),
        rebuffer_count=stalls,
        rebuffer_ms=stalls * random.randrange(300, 4000),
        bitrate_kbps=random.choice((1_800, 4_500, 8_000, 15_600)),
        error_code=random.choice(("drm_license_denied", "segment_timeout")) if failed else None,
        error_fatal=failed,
    )


def record(event: Playback) -> ViewingRecord:
    return ViewingRecord(**{name: getattr(event, name) for name in ViewingRecord.__struct_fields__})


@dataclass
class Evening:
    """Satisfies the ports LiveReads, SupportReads, LedgerBook, Minutes, EventLog and ObjectStore.

    ``away``: the engines that don't answer.
    """

    now: int
    random: Random = field(default_factory=lambda: Random(7))
    away: set[str] = field(default_factory=set)
    ends: dict[Partition, int] = field(default_factory=dict)
    in_lake: dict[Partition, int] = field(default_factory=dict)
    objects: dict[str, dict[str, str]] = field(default_factory=dict)
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
    """The profiles that were read and the prefixes that were listed."""
    missing: dict[Partition, tuple[Finding, ...]] = field(default_factory=dict)
    """What the ledger misses."""

    @property
    def history(self) -> HistoryReader:
        return HistoryReader(self, self.compressed, FakeCompactionMetrics())

    @property
    def reads(self) -> MemberReads:
        return MemberReads(self.history, self.recommendations, self)

    def __post_init__(self) -> None:
        _troubles(self.support, self.now)
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
        """The lake writes one more object a partition."""
        for (topic, number), end in self.ends.items():
            start = self.in_lake[topic, number]
            if end > start:
                bad = 1 if topic == EVENT_TOPICS["playback"].name and start == 0 and number in (0, 2) else 0
                self.objects[f"raw/{topic}/id-{topic}/partition={number}/{start:020}.avro"] = {
                    "end": str(end),
                    "records": str(end - start - bad),
                    "dead_letters": str(bad),
                    "kind": "data",
                }
                self.in_lake[topic, number] = end

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

    # LedgerBook

    async def account(self, topic_id: str, partition: int) -> Account:
        """Three quarters of what the lake holds was received in the hour before."""
        self._answers("cassandra", "no node of Cassandra can be reached")
        taken, hour = self.in_lake[topic_id.removeprefix("id-"), partition], self.now // HOUR_MS
        counts = {hour - 1: taken * 3 // 4, hour: taken - taken * 3 // 4}
        return Account(
            position=taken,
            findings=self.missing.get((topic_id.removeprefix("id-"), partition), ()),
            hours={hour: HourCounts(count, 0, 0, taken) for hour, count in counts.items() if count},
        )

    # LiveReads

    async def read(self, profile_id: str) -> FakePartition:
        self._answers("cassandra", "no node of Cassandra can be reached")
        self.asked.append(profile_id)
        return FakePartition(list(self.rows.get(profile_id, {}).values()))

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

    # ObjectStore

    def list(self, prefix: str, start_after: str) -> Iterator[str]:
        self._answers(
            "lake", f"the object store refuses connections: http://127.0.0.1:8333/lake?prefix={'raw%2F' * 20}"
        )
        self.asked.append(prefix)
        yield from (key for key in sorted(self.objects) if key.startswith(prefix) and key > start_after)

    def head(self, key: str) -> Mapping[str, str]:
        return self.objects[key]

    def get(self, key: str) -> bytes:
        self._answers("lake", "the object store refuses connections")
        assert key == CATALOGUE_KEY
        return titles()
