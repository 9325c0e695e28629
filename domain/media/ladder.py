"""The fixed ladder: three rungs of every film, at a constant frame rate, cut into segments of about four seconds."""

import hashlib
import math
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

from domain.media.source import MAX_RATIO, Source

TOP_HEIGHT = 720
STEPS = (Fraction(1, 2), Fraction(2, 3), Fraction(1))
"""Heights of the rungs, as parts of the highest: 360, 480 and 720."""
MAX_RATE = 60
SEGMENT_S = 4
TOP_KBPS = 3000
"""Highest bit rate of 1280×720 at 30 frames a second, as the encoder's buffer sees it."""
AUDIO = "main"
"""Name of the audio track."""
AUDIO_KBPS = 128
AUDIO_RATE = 48_000
"""Samples a second."""
AUDIO_FRAME = 1024
"""Samples that AAC encodes together: a segment of sound has a whole number of frames."""
THUMBNAIL_WIDTH = 160
SHEET = 5
"""Columns and rows of a thumbnail sheet."""


@dataclass(frozen=True, slots=True)
class Rung:
    quality: int
    width: int
    height: int
    max_kbps: int


@dataclass(frozen=True, slots=True)
class Ladder:
    rungs: tuple[Rung, ...]
    """Lowest first."""
    rate: Fraction
    """Constant, frames a second."""
    segment_frames: int
    """Frames of every segment but the last."""
    channels: int
    """0 for a silent film."""
    thumbnail: tuple[int, int]
    """Width and height of one."""

    @property
    def segment_ms(self) -> int:
        """Exact: frame rates are whole, or whole / 1.001."""
        return int(self.segment_frames / self.rate * 1000)

    def segments(self, frames: int) -> int:
        return -(-frames // self.segment_frames)


def ladder(source: Source) -> Ladder:
    rate = constant_rate(source.average_rate)
    shorter = min(source.width, source.height)
    tops = min(shorter, TOP_HEIGHT)
    rungs = []
    for quality, step in enumerate(STEPS, 1):
        scale = tops * step / shorter
        width, height = _even(source.width * scale, source.width), _even(source.height * scale, source.height)
        rungs.append(Rung(quality, width, height, _max_kbps(width * height, rate)))
    return Ladder(
        rungs=tuple(rungs),
        rate=rate,
        segment_frames=round(SEGMENT_S * rate),
        channels=min(source.channels, 2),
        thumbnail=(
            THUMBNAIL_WIDTH,
            _even(Fraction(THUMBNAIL_WIDTH * source.height, source.width), MAX_RATIO * THUMBNAIL_WIDTH),
        ),
    )


def sound_segments(samples: int, segment_ms: int) -> list[int]:
    """Samples of each segment of sound. Each begins with the first frame that begins where a picture's segment does, or
    later, so the two never drift apart."""
    step = AUDIO_RATE * segment_ms // 1000
    starts = [-(-start // AUDIO_FRAME) * AUDIO_FRAME for start in range(0, samples, step)]
    starts = [start for start in starts if start < samples]
    return [end - start for start, end in pairwise([*starts, samples])]


def constant_rate(average: Fraction) -> Fraction:
    """The rate at which a source is read: the nearest whole rate or whole / 1.001 (film and television in America), so
    that segments last whole milliseconds. A varying rate is rounded up; above 60 every second frame is left out."""
    while average > MAX_RATE * Fraction(1002, 1000):
        average /= 2
    whole = max(1, round(average))
    nearest = min((Fraction(whole), Fraction(whole * 1000, 1001)), key=lambda rate: abs(rate - average))
    if abs(nearest - average) <= average * Fraction(1, 500):
        return nearest
    return Fraction(min(MAX_RATE, max(1, -(-average.numerator // average.denominator))))


def version(source_digest: str, builds: str) -> str:
    """Folder of the files: hash of the source, of the programs' builds and of everything above that shapes them."""
    recipe = (TOP_HEIGHT, STEPS, MAX_RATE, SEGMENT_S, TOP_KBPS, AUDIO, AUDIO_KBPS, AUDIO_FRAME, THUMBNAIL_WIDTH, SHEET)
    return hashlib.sha256(f"{source_digest}|{builds}|{recipe}".encode()).hexdigest()[:32]


def _even(number: Fraction, most: int) -> int:
    """The nearest even number that is not above ``most``."""
    return 2 * max(1, min(round(number / 2), most // 2))


def _max_kbps(pixels: int, rate: Fraction) -> int:
    """Larger pictures need fewer bits a pixel, and so do more pictures a second."""
    return round(TOP_KBPS * math.pow(pixels / (1280 * 720), 0.75) * math.sqrt(max(1.0, float(rate / 30))))
