"""An asset record for tests of playback: a trailer in two qualities, with sound."""

from typing import Any

from schemas.events import Asset, AudioTrack, Rendition
from tests.support.builders import T0


def trailer(**changes: Any) -> Asset:
    """55 seconds, live."""
    fields: dict[str, Any] = {
        "event_id": "018bcfe5-6800-7000-8000-00000000a001",
        "received_at": T0,
        "title_id": "ml-50",
        "seq": 1,
        "status": "live",
        "version": "0a1b",
        "source_digest": "00ff",
        "credit": "© Somebody, CC BY 3.0",
        "duration_ms": 55_083,
        "segment_ms": 4_000,
        "renditions": (_rendition(1, 426, 234, 600, 400), _rendition(2, 1280, 720, 2_500, 1_800)),
        "audio": (AudioTrack(name="english", language="en", codec="mp4a.40.2", channels=2, kbps=128),),
    }
    return Asset(**(fields | changes))


def _rendition(quality: int, width: int, height: int, peak_kbps: int, average_kbps: int) -> Rendition:
    return Rendition(
        quality=quality,
        codec="avc1.64001f",
        width=width,
        height=height,
        frame_rate=24_000 / 1001,
        frames=1_321,
        peak_kbps=peak_kbps,
        average_kbps=average_kbps,
    )
