"""What may be uploaded: limits over what ffprobe says of a file, and what the encoder needs to know of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Literal

MAX_STREAMS = 32
MAX_PIXELS = 4096 * 2304
MIN_SIDE = 64
MAX_RATIO = 4
"""Longer side to shorter side."""
MAX_DURATION_S = 4 * 3600
MIN_DURATION_S = 0.2
MIN_RATE = 1
MAX_FRAMES = MAX_DURATION_S * 120

Reason = Literal[
    "not a file",
    "empty",
    "not a video",
    "damaged",
    "truncated",
    "no picture",
    "too many streams",
    "picture too large",
    "picture too small",
    "picture too narrow",
    "no frame rate",
    "too short",
    "too long",
    "too many frames",
    "too much work",
    "too much memory",
    "changed meanwhile",
]


class Refused(Exception):
    """The file cannot be a title's video. ``reason`` is stable; ``detail`` says more to a person."""

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


@dataclass(frozen=True, slots=True)
class Source:
    """An acceptable file. Width and height are as shown: rotated, and with square pixels."""

    video: int
    """Index of the stream that has the picture."""
    audio: int | None
    """Index of the stream that has the sound; None for a silent film."""
    channels: int
    width: int
    height: int
    average_rate: Fraction
    """Frames a second; varying ones on average."""
    duration_s: float | None
    """Of the picture, as the file declares it; None where it does not."""
    interlaced: bool


def accept(probe: Mapping[str, Any]) -> Source:
    """The source that ffprobe's JSON describes. Refused if it breaks a limit."""
    streams: Sequence[Mapping[str, Any]] = probe.get("streams", ())
    if len(streams) > MAX_STREAMS:
        raise Refused("too many streams", f"{len(streams)}, at most {MAX_STREAMS}")
    video = _first(streams, "video")
    if video is None or not video.get("codec_name"):
        raise Refused("no picture", "no stream of the file is a video that can be decoded")
    width, height = _shown(video)
    rate = _fraction(video.get("avg_frame_rate"))
    if rate is None or rate < MIN_RATE:
        raise Refused("no frame rate", f"the file does not say that it has at least {MIN_RATE} frame a second")
    duration = _duration(video, probe.get("format", {}))
    _check_length(duration, rate, int(video.get("nb_frames", 0)))
    audio = _first(streams, "audio")
    return Source(
        video=video["index"],
        audio=audio["index"] if audio else None,
        channels=int(audio["channels"]) if audio else 0,
        width=width,
        height=height,
        average_rate=rate,
        duration_s=duration,
        interlaced=video.get("field_order", "progressive") not in ("progressive", "unknown"),
    )


def _first(streams: Sequence[Mapping[str, Any]], kind: str) -> Mapping[str, Any] | None:
    """The default stream of that kind, else its first. A cover picture is no video, a silent codec no sound."""
    found = [
        stream
        for stream in streams
        if stream.get("codec_type") == kind
        and not stream.get("disposition", {}).get("attached_pic")
        and (kind != "audio" or stream.get("channels"))
    ]
    return next((stream for stream in found if stream.get("disposition", {}).get("default")), next(iter(found), None))


def _shown(video: Mapping[str, Any]) -> tuple[int, int]:
    width, height = int(video.get("width", 0)), int(video.get("height", 0))
    if not width or not height:
        raise Refused("no picture", "the file does not say how large the picture is")
    if width * height > MAX_PIXELS:
        raise Refused("picture too large", f"{width}×{height}, at most {MAX_PIXELS:,} pixels")
    pixel = _fraction(video.get("sample_aspect_ratio", "1:1").replace(":", "/")) or Fraction(1)
    width = round(width * pixel)
    if any(abs(int(data.get("rotation", 0))) % 180 == 90 for data in video.get("side_data_list", ())):
        width, height = height, width
    if min(width, height) < MIN_SIDE:
        raise Refused("picture too small", f"{width}×{height}, at least {MIN_SIDE} pixels a side")
    if max(width, height) > MAX_RATIO * min(width, height):
        raise Refused("picture too narrow", f"{width}×{height}, one side at most {MAX_RATIO} times the other")
    return width, height


def _duration(video: Mapping[str, Any], container: Mapping[str, Any]) -> float | None:
    text = video.get("duration") or container.get("duration")
    return float(text) if text else None


def _check_length(duration: float | None, rate: Fraction, frames: int) -> None:
    if duration is not None and duration > MAX_DURATION_S:
        raise Refused("too long", f"{duration:,.0f} s, at most {MAX_DURATION_S:,}")
    if duration is not None and duration < MIN_DURATION_S:
        raise Refused("too short", f"{duration:g} s, at least {MIN_DURATION_S:g}")
    if max(frames, (duration or 0) * rate) > MAX_FRAMES:
        raise Refused("too many frames", f"{float(rate):,.0f} a second, at most {MAX_FRAMES:,} in all")


def _fraction(text: str | None) -> Fraction | None:
    try:
        return Fraction(text or "0")
    except (ValueError, ZeroDivisionError):
        return None
