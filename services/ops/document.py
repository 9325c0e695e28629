"""The live page's document: what ``/v1/live`` answers, field for field. Times are ms since the epoch (UTC)."""

from typing import Literal

import msgspec

NEVER = "has not answered yet"


class Source(msgspec.Struct, frozen=True):
    """Where numbers come from, and how old they are."""

    name: str
    label: str
    read_at: int | None
    """When it last answered; None = never yet."""
    error: str | None
    """What went wrong since; None while all is well, ``NEVER`` before the first look."""


class Series(msgspec.Struct, frozen=True):
    times: list[int]
    values: dict[str, list[float]]
    """One value a time, by name."""


class Refusal(msgspec.Struct, frozen=True):
    """A dead letter without its bytes."""

    failed_at: int
    step: str
    error_class: str
    reason: str
    field: str | None
    place: str
    """``topic[partition]@offset``, or the topic it was meant for."""


class DeadLetters(msgspec.Struct, frozen=True):
    total: int
    newest: list[Refusal]


class LedgerTopic(msgspec.Struct, frozen=True):
    topic: str
    kafka: int
    """Records that Kafka has numbered."""
    waiting: int
    """Records that are not compared yet."""
    differing: int
    """Records that Kafka and the lake do not both hold, nor a dead letter names. Must be 0."""


class Ledger(msgspec.Struct, frozen=True):
    """What the ledger compared, record by record."""

    topics: list[LedgerTopic]
    this_hour: int
    """Records received in the current hour."""
    last_hour: int
    findings: list[str]
    """Which records differ, the first few."""


class Write(msgspec.Struct, frozen=True):
    """One session's newest event in Kafka beside what the history answers for it."""

    profile_id: str
    playback_session_id: str
    title_id: str
    title: str
    year: int | None
    device_type: str
    country: str
    player_state: str
    position_ms: int
    duration_ms: int | None
    received_at: int
    stored: bool
    """The history already answers with this event, or with a newer one."""


class AppExperience(msgspec.Struct, frozen=True):
    """One app version on one kind of device, in the last quarter of an hour."""

    device_type: str
    app_version: str
    views: int
    failures: int
    fails_more: bool
    """Clearly more often than all apps together."""
    startup_p95_ms: float | None
    starts_slower: bool
    rebuffer_ratio: float | None


class Experience(msgspec.Struct, frozen=True):
    """What members see. Viewers and starts are of the last full minute, the rest of the last quarter of an hour."""

    viewers: int
    starts: int
    startup_p50_ms: float | None
    startup_p95_ms: float | None
    rebuffer_ratio: float | None
    rebuffer_frequency: float | None
    """Stalls a minute of playing and stalling."""
    views: int
    failures: int
    apps: list[AppExperience]


class ProcessHealth(msgspec.Struct, frozen=True):
    name: str
    index: int
    does: str
    """One sentence."""
    up: bool
    uptime_seconds: float | None = None
    memory_bytes: float | None = None
    cpu_share: float | None = None
    """Of one core, since the last look."""


class Trouble(msgspec.Struct, frozen=True):
    """One thing that is wrong now, for people."""

    text: str
    aside: str
    panel: str
    """Where the page says more."""


class Alert(msgspec.Struct, frozen=True):
    """One that fires."""

    name: str
    severity: str
    """page or ticket."""
    since: int
    summary: str
    runbook: str | None
    """A link."""
    silenced_by: list[str]
    """Why nobody is told; empty when somebody is."""


class Alerts(msgspec.Struct, frozen=True):
    """What Alertmanager tells, the most urgent first, of those the oldest."""

    watch: Literal["none", "well", "deaf", "away"]
    """none: no monitoring runs here; deaf: Alertmanager answers, but hears nothing of Prometheus."""
    read_at: int | None = None
    firing: list[Alert] = []
    silenced: list[Alert] = []


class Live(msgspec.Struct, frozen=True):
    at: int
    sources: list[Source]
    alerts: Alerts
    troubles: list[Trouble]
    """By this document's own numbers."""
    rates: Series
    """Events per second by family, and dead letters."""
    lag: Series
    """Records behind by consumer group."""
    groups: list[str]
    """Consumer groups, in the order of the process table."""
    dead_letters: DeadLetters
    ledger: Ledger | None
    """None before the first answer."""
    writes: list[Write]
    processes: list[ProcessHealth]
    experience: Experience | None
    """None before the first look."""
    starts_last_week: float | None
    """A minute, in the quarter of an hour around this one a week ago; None where nobody watched."""
