"""The contract's records as frozen structs, with exactly the fields of the Avro schemas in ``schemas/avro``.

Times are integer milliseconds since the epoch (UTC), durations integer milliseconds (``_ms``), ids text.
The ``doc`` of the Avro field says what it means. A test keeps both in step.
"""

from typing import Literal

import msgspec

DeviceType = Literal["unknown", "phone", "tablet", "tv", "desktop", "console", "set_top_box", "server"]
TitleClass = Literal["unknown", "film", "episode", "live", "trailer"]
PlayerState = Literal["unknown", "starting", "playing", "paused", "seeking", "rebuffering", "stopped"]
PlaybackEventType = Literal[
    "unknown",
    "play_requested",
    "first_frame",
    "heartbeat",
    "paused",
    "resumed",
    "seeked",
    "rebuffer_started",
    "rebuffer_ended",
    "quality_changed",
    "error",
    "stopped",
    "ended",
]
UiAction = Literal["unknown", "view", "impression", "click", "search", "sign_in"]
Level = Literal["unknown", "debug", "info", "warning", "error"]
Status = Literal["unknown", "started", "succeeded", "failed"]


class Envelope(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="family"):
    event_id: str
    client_time: int
    sent_at: int
    received_at: int
    event_time: int
    device_id: str
    device_type: DeviceType
    app_name: str
    app_version: str
    country: str
    account_id: str | None = None


class Ui(Envelope, frozen=True, kw_only=True, tag="ui"):
    profile_id: str | None = None
    action: UiAction
    page: str
    row: int | None = None
    position: int | None = None
    title_id: str | None = None
    query: str | None = None
    recommendation_id: str | None = None


class Playback(Envelope, frozen=True, kw_only=True, tag="playback"):
    profile_id: str
    playback_session_id: str
    session_started_at: int
    seq: int
    title_id: str
    title_class: TitleClass
    event_type: PlaybackEventType
    player_state: PlayerState
    state_since_ms: int
    playhead_ms: int
    duration_ms: int | None = None
    watched_ms: int
    paused_ms: int
    startup_time_ms: int | None = None
    rebuffer_count: int
    rebuffer_ms: int
    seek_count: int
    bitrate_kbps: int | None = None
    error_code: str | None = None
    error_fatal: bool
    recommendation_id: str | None = None
    start_time: int | None = None


class Error(Envelope, frozen=True, kw_only=True, tag="error"):
    profile_id: str | None = None
    code: str
    message: str
    fatal: bool
    component: str
    playback_session_id: str | None = None
    stack: str | None = None


class Diagnostic(Envelope, frozen=True, kw_only=True, tag="diagnostic"):
    profile_id: str | None = None
    name: str
    level: Level
    fields: dict[str, str] = {}


class Processing(Envelope, frozen=True, kw_only=True, tag="processing"):
    profile_id: str | None = None
    job: str
    stage: str
    status: Status
    title_id: str | None = None
    duration_ms: int


class Performance(Envelope, frozen=True, kw_only=True, tag="performance"):
    profile_id: str | None = None
    metric: str
    value: float
    unit: str
    playback_session_id: str | None = None


Event = Ui | Playback | Error | Diagnostic | Processing | Performance
EVENT_TYPES: dict[str, type[Event]] = {
    "ui": Ui,
    "playback": Playback,
    "error": Error,
    "diagnostic": Diagnostic,
    "processing": Processing,
    "performance": Performance,
}


def family(event: Event) -> str:
    return type(event).__name__.lower()


def key(event: Event) -> str:
    """The Kafka key: profile, else device, else the event's own id."""
    return event.profile_id or event.device_id or event.event_id


DAY_MS = 24 * 60 * 60 * 1000
YEAR_2100 = 4_102_444_800_000


def write_timestamp(playback_session_id: str, seq: int) -> int:
    """Cassandra's write timestamp of an event, in microseconds: it depends on the session's id and on ``seq`` alone.

    No clock moves it, so nothing that a client does to its clock hides a newer event. The time in a UUIDv7 keeps it
    near the present, as Cassandra needs to forget tombstones. The day on top puts it after the timestamps of older
    software, which took the session's start. Other ids hold no time: their sessions are written in the year 2100.
    """
    if playback_session_id[14] != "7":
        return YEAR_2100 * 1000 + seq
    made_at = int(playback_session_id[:8] + playback_session_id[9:13], 16)
    return (made_at + DAY_MS) * 1000 + seq


class ViewingRecord(msgspec.Struct, frozen=True, gc=False):
    """One playback session's newest state, and what later events must not take away.

    ``played``, ``settled``, ``length`` and ``moved`` are of the newest event that told each: ``domain.history.kept``.
    """

    received_at: int
    profile_id: str
    playback_session_id: str
    session_started_at: int
    seq: int
    title_id: str
    title_class: TitleClass
    event_type: PlaybackEventType
    event_time: int
    player_state: PlayerState
    playhead_ms: int
    duration_ms: int | None
    watched_ms: int
    paused_ms: int
    startup_time_ms: int | None
    rebuffer_count: int
    rebuffer_ms: int
    seek_count: int
    bitrate_kbps: int | None
    error_code: str | None
    error_fatal: bool
    recommendation_id: str | None
    device_id: str
    device_type: DeviceType
    app_version: str
    country: str
    start_time: int | None = None
    played_seq: int | None = None
    played_ms: int | None = None
    settled_seq: int | None = None
    settled_ms: int | None = None
    settled_watched_ms: int | None = None
    length_seq: int | None = None
    length_ms: int | None = None
    moved_seq: int | None = None
    moved_at: int | None = None
    moved_watched_ms: int | None = None

    @property
    def write_timestamp(self) -> int:
        """In microseconds; it increases with seq within a session."""
        return write_timestamp(self.playback_session_id, self.seq)

    @property
    def listed_at(self) -> int:
        """The time at which lists and chunks place the session: its start by the client's clock, moved by whole days if
        that clock is wrong. The corrected start itself differs a little from request to request; this does not."""
        if self.start_time is None:
            return self.session_started_at
        wrong_by = self.start_time - self.session_started_at
        return self.session_started_at + (wrong_by + DAY_MS // 2) // DAY_MS * DAY_MS


class CompactionRequest(msgspec.Struct, frozen=True, kw_only=True):
    profile_id: str
    requested_at: int
    live_records: int


class DeadLetter(msgspec.Struct, frozen=True, kw_only=True):
    dead_letter_id: str
    failed_at: int
    step: str
    error_class: str
    reason: str
    field: str | None = None
    topic: str | None = None
    topic_id: str | None = None
    partition: int | None = None
    offset: int | None = None
    key: bytes | None = None
    value: bytes | None = None
    sender: str | None = None
    account_id: str | None = None
    profile_id: str | None = None


AssetStatus = Literal["unknown", "live", "removed"]


class Rendition(msgspec.Struct, frozen=True, kw_only=True):
    """The video at one quality."""

    quality: int
    codec: str
    width: int
    height: int
    frame_rate: float
    frames: int
    peak_kbps: int
    average_kbps: int
    vmaf: float | None = None


class AudioTrack(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    language: str
    codec: str
    channels: int
    kbps: int
    samples: int = 0


class SubtitleTrack(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    language: str


class Thumbnails(msgspec.Struct, frozen=True, kw_only=True):
    """Sheets of small pictures along the time line."""

    interval_ms: int
    width: int
    height: int
    columns: int
    rows: int
    count: int


class Asset(msgspec.Struct, frozen=True, kw_only=True):
    """The video of a title. The record with the highest ``seq`` of a title holds."""

    event_id: str
    received_at: int
    title_id: str
    seq: int
    status: AssetStatus
    version: str
    source_digest: str
    credit: str | None = None
    duration_ms: int
    segment_ms: int
    renditions: tuple[Rendition, ...]
    audio: tuple[AudioTrack, ...] = ()
    subtitles: tuple[SubtitleTrack, ...] = ()
    thumbnails: Thumbnails | None = None


AccountPart = Literal["unknown", "account", "profile", "device", "sign_in"]
AccountChange = Literal["unknown", "added", "changed", "removed"]
EntitlementStatus = Literal["unknown", "active", "grace", "held", "ended"]
RevocationReason = Literal[
    "unknown",
    "signed_out",
    "device_removed",
    "profile_removed",
    "password_changed",
    "maturity_lowered",
    "token_reused",
    "account_closed",
    "support",
]


class Counted(msgspec.Struct, frozen=True, kw_only=True):
    """Of an account, whose records ``seq`` counts without a gap."""

    event_id: str
    received_at: int
    account_id: str
    seq: int


class AccountRecord(Counted, frozen=True, kw_only=True):
    """A change of an account, one of its profiles or devices, or a sign-in."""

    kind: AccountPart
    change: AccountChange
    profile_id: str | None = None
    device_id: str | None = None
    device_type: DeviceType = "unknown"
    country: str | None = None
    maturity: str | None = None
    kids: bool | None = None


class EntitlementRecord(Counted, frozen=True, kw_only=True):
    """What an account may play from now on. The record with the highest ``seq`` of an account holds."""

    plan: str
    streams: int
    status: EntitlementStatus
    until: int


class RevocationRecord(Counted, frozen=True, kw_only=True):
    """Tokens of the account, or of one of its devices or profiles, that no longer hold."""

    device_id: str | None = None
    profile_id: str | None = None
    not_before: int
    reason: RevocationReason


CountedRecord = AccountRecord | EntitlementRecord | RevocationRecord
Record = Event | ViewingRecord | CompactionRequest | DeadLetter | Asset | CountedRecord
RECORD_TYPES: dict[str, type[Record]] = {
    **EVENT_TYPES,
    "viewing_record": ViewingRecord,
    "compaction_request": CompactionRequest,
    "dead_letter": DeadLetter,
    "asset": Asset,
    "account_record": AccountRecord,
    "entitlement_record": EntitlementRecord,
    "revocation_record": RevocationRecord,
}
_RECORD_NAMES = {record_type: name for name, record_type in RECORD_TYPES.items()}


def record_name(record: Record) -> str:
    """The stem of its ``.avsc`` file; for an event, its family."""
    return _RECORD_NAMES[type(record)]
