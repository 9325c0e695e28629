"""The live page's document: what ``/v1/live`` answers, field for field. Times are ms since the epoch (UTC)."""

from typing import Literal

import msgspec

NEVER = "has not answered yet"


class Source(msgspec.Struct, frozen=True):
    """A source of numbers, and their age."""

    name: str
    label: str
    read_at: int | None
    """When it last answered; None: never."""
    error: str | None
    """What went wrong since; None: nothing. ``NEVER`` before the first poll."""


class Series(msgspec.Struct, frozen=True):
    times: list[int]
    values: dict[str, list[float]]
    """One value a time, by name."""


class DeadLetterSummary(msgspec.Struct, frozen=True):
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
    newest: list[DeadLetterSummary]


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
    """A session's newest event in Kafka, and whether the history has it."""

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
    """The history answers with this event or a newer one."""


class AppExperience(msgspec.Struct, frozen=True):
    """One app version on one kind of device, over the last 15 minutes."""

    device_type: str
    app_version: str
    views: int
    failures: int
    fails_more: bool
    """Clearly more than all apps together."""
    startup_p95_ms: float | None
    starts_slower: bool
    rebuffer_ratio: float | None


class Experience(msgspec.Struct, frozen=True):
    """What members see. Viewers and starts of the last full minute; everything else over the last 15 minutes."""

    viewers: int
    starts: int
    startup_p50_ms: float | None
    startup_p95_ms: float | None
    rebuffer_ratio: float | None
    rebuffer_frequency: float | None
    """Stalls per minute of playing and stalling."""
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
    """Of one core, since the last poll."""
    unpublished_seconds: float | None = None
    """Age of the oldest record that waits in an outbox, if the process publishes them."""


class Issue(msgspec.Struct, frozen=True):
    """Something wrong now, for people."""

    text: str
    detail: str
    panel: str
    """Id of the page's element with more about it."""


class Alert(msgspec.Struct, frozen=True):
    """A firing alert."""

    name: str
    severity: str
    """page or ticket."""
    since: int
    summary: str
    runbook: str | None
    """A link."""
    suppressed_by: list[str]
    """Why nobody is notified; empty if somebody is."""


class Alerts(msgspec.Struct, frozen=True):
    """Alertmanager's alerts, the most urgent first, then the oldest."""

    watch: Literal["off", "ok", "no_data", "unreachable"]
    """off: no monitoring runs here; no_data: Alertmanager answers, but gets no alerts from Prometheus."""
    read_at: int | None = None
    firing: list[Alert] = []
    suppressed: list[Alert] = []


class Live(msgspec.Struct, frozen=True):
    at: int
    sources: list[Source]
    alerts: Alerts
    issues: list[Issue]
    """From this document's own numbers."""
    rates: Series
    """Events per second by family, and dead letters."""
    lag: Series
    """Records behind by consumer group."""
    groups: list[str]
    """Consumer groups, in the order of the process table."""
    dead_letters: DeadLetters
    ledger: Ledger | None
    """None before the first poll."""
    writes: list[Write]
    processes: list[ProcessHealth]
    experience: Experience | None
    """None before the first poll."""
    starts_last_week: float | None
    """Starts per minute, in the 15 minutes around this one a week ago; None if nobody watched."""
