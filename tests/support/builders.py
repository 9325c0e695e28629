"""Records with sensible defaults: a test names only what it is about."""

from collections.abc import Callable
from typing import Any

import msgspec

from domain.history.kept import KEPT_FIELDS
from domain.recommendations.model import Reason, Recommendation, RecommendationList
from domain.support.updates import MemberError, Received, SessionReport
from schemas.client_events import STAMPED
from schemas.events import (
    AccountRecord,
    Asset,
    AudioTrack,
    CompactionRequest,
    DeadLetter,
    Diagnostic,
    EntitlementRecord,
    Error,
    Event,
    Performance,
    Playback,
    Processing,
    Rendition,
    RevocationRecord,
    SubtitleTrack,
    Thumbnails,
    Ui,
    ViewingRecord,
    family,
)

T0 = 1_700_000_000_000
"""A Tuesday evening in November 2023, in milliseconds."""
SESSION = "018bcfe5-6800-7000-8000-000000000001"


_ENVELOPE: dict[str, Any] = {
    "event_id": "018bcfe5-6800-7000-8000-00000000e001",
    "client_time": T0 + 60_000,
    "sent_at": T0 + 60_100,
    "received_at": T0 + 60_200,
    "event_time": T0 + 60_100,
    "device_id": "device-1",
    "device_type": "tv",
    "app_name": "living-room",
    "app_version": "1.0.0",
    "country": "NL",
    "account_id": "account-1",
    "profile_id": "ml-1",
}


def playback(**changes: Any) -> Playback:
    """A heartbeat a minute into a film of 100 minutes."""
    fields: dict[str, Any] = {
        "playback_session_id": SESSION,
        "session_started_at": T0,
        "seq": 3,
        "title_id": "ml-50",
        "title_class": "film",
        "event_type": "heartbeat",
        "player_state": "playing",
        "state_since_ms": 58_000,
        "playhead_ms": 58_000,
        "duration_ms": 6_000_000,
        "watched_ms": 58_000,
        "paused_ms": 0,
        "startup_time_ms": 1_500,
        "rebuffer_count": 0,
        "rebuffer_ms": 0,
        "seek_count": 0,
        "bitrate_kbps": 4_500,
        "error_code": None,
        "error_fatal": False,
        "recommendation_id": None,
    }
    return Playback(**(_ENVELOPE | fields | changes))


def ui(**changes: Any) -> Ui:
    """An impression of a title on the home page."""
    fields = {"action": "impression", "page": "home", "row": 2, "position": 0, "title_id": "ml-50"}
    return Ui(**(_ENVELOPE | fields | changes))


def error(**changes: Any) -> Error:
    """A licence that did not come."""
    fields = {"code": "DRM_6001", "message": "No licence within 10 s", "fatal": True, "component": "drm"}
    return Error(**(_ENVELOPE | fields | changes))


def diagnostic(**changes: Any) -> Diagnostic:
    fields = {"name": "decoder_chosen", "level": "info", "fields": {"codec": "av1", "hardware": "true"}}
    return Diagnostic(**(_ENVELOPE | fields | changes))


def processing(**changes: Any) -> Processing:
    """A service event, of no account and no profile."""
    fields = {"job": "encode", "stage": "package", "status": "succeeded", "title_id": "ml-50", "duration_ms": 90_000}
    return Processing(**(_ENVELOPE | {"account_id": None, "profile_id": None} | fields | changes))


def performance(**changes: Any) -> Performance:
    fields = {"metric": "time_to_interactive", "value": 812.5, "unit": "ms"}
    return Performance(**(_ENVELOPE | fields | changes))


EVENTS: dict[str, Callable[..., Event]] = {
    "ui": ui,
    "playback": playback,
    "error": error,
    "diagnostic": diagnostic,
    "processing": processing,
    "performance": performance,
}


def as_client(event: Event) -> dict[str, Any]:
    """The event as a client sends it: family, no stamps, no nulls."""
    fields = msgspec.structs.asdict(event)
    return {"family": family(event)} | {
        name: value for name, value in fields.items() if name not in STAMPED and value is not None
    }


ALL_RECEIVED = Received(4, 4)


def session_report(
    profile_id: str = "ml-1", number: int = 1, received: Received | None = ALL_RECEIVED, **changes: Any
) -> SessionReport:
    """The state that ``playback()`` leaves, as support receives it: without what the history keeps."""
    names = {"profile_id": profile_id, "playback_session_id": f"018bcfe5-6800-7000-8000-{number:012d}"}
    record = viewing_record(**(dict.fromkeys(KEPT_FIELDS) | names | changes))
    return SessionReport(profile_id, record.listed_at, record.playback_session_id, record, received)


def member_error(**changes: Any) -> MemberError:
    """The error that ``error()`` is, in the session of ``playback()``."""
    fields = msgspec.structs.asdict(error(playback_session_id=SESSION))
    return MemberError(**({name: fields[name] for name in MemberError.__struct_fields__} | changes))


def viewing_record(**changes: Any) -> ViewingRecord:
    """The state that ``playback()`` leaves, with these changes, also in what it keeps."""
    event = playback()
    fields = {name: getattr(event, name) for name in ViewingRecord.__struct_fields__ if hasattr(event, name)} | changes
    told = {"state_since_ms": event.state_since_ms} | fields
    return ViewingRecord(**(kept_values(told) | fields))


def recorded(event: Playback) -> ViewingRecord:
    """The state that one event leaves."""
    told = msgspec.structs.asdict(event)
    fields = {name: told[name] for name in ViewingRecord.__struct_fields__ if name in told}
    return ViewingRecord(**(kept_values(told) | fields))


def kept_values(told: dict[str, Any]) -> dict[str, int]:
    """What a session keeps of one event: ``domain.history.kept`` in other words."""
    kept: dict[str, int] = {}
    seq, playhead, length = told["seq"], told["playhead_ms"], told["duration_ms"]
    if told["startup_time_ms"] is not None and told["watched_ms"] and playhead:
        kept |= {"played_seq": seq, "played_ms": playhead}
        steady = told["player_state"] == "playing" and told["state_since_ms"] >= 30_000
        if steady and (length is None or playhead >= length * 0.05):
            kept |= {"settled_seq": seq, "settled_ms": playhead, "settled_watched_ms": told["watched_ms"]}
    if told["player_state"] == "playing":
        kept |= {"moved_seq": seq, "moved_at": told["event_time"], "moved_watched_ms": told["watched_ms"]}
    return kept | ({"length_seq": seq, "length_ms": length} if length is not None else {})


def compaction_request(**changes: Any) -> CompactionRequest:
    fields: dict[str, Any] = {"profile_id": "ml-1", "requested_at": T0, "live_records": 101}
    return CompactionRequest(**(fields | changes))


def dead_letter(**changes: Any) -> DeadLetter:
    """Bytes in Kafka that are no event."""
    fields: dict[str, Any] = {
        "dead_letter_id": "6ba7b811-9dad-5d10-80b4-00c04fd430c8",
        "failed_at": T0,
        "step": "lake",
        "error_class": "not_framed",
        "reason": "The payload starts with 6e6f.",
        "topic": "playhead.playback",
        "topic_id": "AAAAAAAAAAAAAAAAAAAAAA",
        "partition": 1,
        "offset": 7,
        "key": b"ml-1",
        "value": b"no event",
        "sender": "member",
        "account_id": "account-1",
        "profile_id": "ml-1",
    }
    return DeadLetter(**(fields | changes))


def rendition(quality: int = 1, **changes: Any) -> Rendition:
    """A rung of the ladder: 320 × 180 at quality 1, 640 × 360 at 2."""
    fields: dict[str, Any] = {
        "quality": quality,
        "codec": "avc1.64001f",
        "width": 320 * quality,
        "height": 180 * quality,
        "frame_rate": 24.0,
        "frames": 1_320,
        "peak_kbps": 600 * quality,
        "average_kbps": 400 * quality,
        "vmaf": 80.5,
    }
    return Rendition(**(fields | changes))


def asset(title_id: str = "ml-50", seq: int = 1, **changes: Any) -> Asset:
    """The live version of a trailer of 55 seconds: two renditions, sound, subtitles, thumbnails."""
    fields: dict[str, Any] = {
        "event_id": f"018bcfe5-6800-7000-8000-{seq:012d}",
        "received_at": T0,
        "title_id": title_id,
        "seq": seq,
        "status": "live",
        "version": "0123456789abcdef" * 2,
        "source_digest": "0123456789abcdef" * 4,
        "credit": "© Blender Foundation, CC BY 3.0",
        "duration_ms": 55_000,
        "segment_ms": 4_000,
        "renditions": (rendition(1), rendition(2)),
        "audio": (AudioTrack(name="audio", language="en", codec="mp4a.40.2", channels=2, kbps=128),),
        "subtitles": (SubtitleTrack(name="nl", language="nl"),),
        "thumbnails": Thumbnails(interval_ms=5_000, width=160, height=90, columns=5, rows=5, count=11),
    }
    return Asset(**(fields | changes))


def _counted(account_id: str, seq: int) -> dict[str, Any]:
    event_id = f"018bcfe5-6800-7000-8000-{seq:012d}"
    return {"event_id": event_id, "received_at": T0, "account_id": account_id, "seq": seq}


def account_record(account_id: str = "account-1", seq: int = 1, **changes: Any) -> AccountRecord:
    """A profile for children came to the account."""
    fields = {"kind": "profile", "change": "added", "profile_id": "ml-1", "maturity": "6", "kids": True}
    return AccountRecord(**(_counted(account_id, seq) | fields | changes))


def entitlement_record(account_id: str = "account-1", seq: int = 1, **changes: Any) -> EntitlementRecord:
    """Two streams for a day."""
    fields = {"plan": "free", "streams": 2, "status": "active", "until": T0 + 86_400_000}
    return EntitlementRecord(**(_counted(account_id, seq) | fields | changes))


def revocation_record(account_id: str = "account-1", seq: int = 1, **changes: Any) -> RevocationRecord:
    """A device was taken off the account."""
    fields = {"device_id": "device-1", "not_before": T0, "reason": "device_removed"}
    return RevocationRecord(**(_counted(account_id, seq) | fields | changes))


def recommendation(
    title_id: str = "ml-50", score: float = 1.5, reason: Reason = "popular", about: str | None = None
) -> Recommendation:
    return Recommendation(title_id, score, reason, about)


def recommendation_list(
    model: str = "ranker", made_at: int = T0, items: tuple[Recommendation, ...] = (recommendation(),)
) -> RecommendationList:
    return RecommendationList(model, made_at, items)
