"""What the packager made: bit rates of a media playlist, codec of an init segment, cues of the thumbnails."""

from collections.abc import Mapping
from itertools import pairwise

from domain.media.ladder import SHEET


def segments(playlist: str) -> list[tuple[str, float]]:
    """Name and seconds of each segment of an HLS media playlist."""
    lines = playlist.splitlines()
    return [
        (name, float(line.removeprefix("#EXTINF:").partition(",")[0]))
        for line, name in pairwise(lines)
        if line.startswith("#EXTINF:")
    ]


def bit_rates(playlist: str, sizes: Mapping[str, int]) -> tuple[int, int]:
    """Of the largest segment and of the whole, in kbit/s; ``sizes`` are the segments' bytes by name."""
    found = segments(playlist)
    peak = max(sizes[name] / seconds for name, seconds in found)
    average = sum(sizes[name] for name, _ in found) / sum(seconds for _, seconds in found)
    return _kbps(peak), _kbps(average)


def avc_codec(init: bytes) -> str:
    """As in RFC 6381, from the profile, constraints and level in the ``avcC`` box of an init segment."""
    at = init.index(b"avcC") + 5
    return f"avc1.{init[at : at + 3].hex()}"


def thumbnail_cues(count: int, interval_ms: int, duration_ms: int, width: int, height: int) -> str:
    """WebVTT: each cue names a sheet and a rectangle of it."""
    cues = ["WEBVTT"]
    for number in range(count):
        sheet, place = divmod(number, SHEET * SHEET)
        row, column = divmod(place, SHEET)
        begin, end = number * interval_ms, min((number + 1) * interval_ms, duration_ms)
        rectangle = f"{column * width},{row * height},{width},{height}"
        cues.append(f"{_clock(begin)} --> {_clock(end)}\nthumbnails-{sheet + 1}.jpg#xywh={rectangle}")
    return "\n\n".join(cues) + "\n"


def _kbps(bytes_per_second: float) -> int:
    return -(-int(bytes_per_second * 8) // 1000)


def _clock(ms: int) -> str:
    seconds, ms = divmod(ms, 1000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02d}:{minutes:02d}:{seconds:02d}.{ms:03d}"
