"""The rungs, rate and version of a film."""

from fractions import Fraction
from itertools import accumulate

import pytest

from domain.media.ladder import Ladder, Rung, constant_rate, ladder, sound_segments, version
from domain.media.source import Source


def of(width: int, height: int, rate: Fraction = Fraction(24), channels: int = 2) -> Ladder:
    return ladder(
        Source(
            video=0,
            audio=1,
            channels=channels,
            width=width,
            height=height,
            average_rate=rate,
            duration_s=60.0,
            interlaced=False,
        )
    )


def test_a_film_of_720_lines() -> None:
    assert of(1280, 720) == Ladder(
        rungs=(Rung(1, 640, 360, 1061), Rung(2, 854, 480, 1634), Rung(3, 1280, 720, 3000)),
        rate=Fraction(24),
        segment_frames=96,
        channels=2,
        thumbnail=(160, 90),
    )


@pytest.mark.parametrize(
    ("width", "height", "sizes"),
    [
        (3840, 2160, [(640, 360), (854, 480), (1280, 720)]),
        (640, 350, [(320, 176), (426, 234), (640, 350)]),
        (64, 64, [(32, 32), (42, 42), (64, 64)]),
        (1080, 1920, [(360, 640), (480, 854), (720, 1280)]),
        (333, 187, [(166, 94), (222, 124), (332, 186)]),
    ],
)
def test_three_rungs_of_even_size_that_keep_the_ratio(width: int, height: int, sizes: list[tuple[int, int]]) -> None:
    assert [(rung.width, rung.height) for rung in of(width, height).rungs] == sizes


def test_sound_is_mono_or_stereo() -> None:
    assert [of(640, 360, channels=channels).channels for channels in (0, 1, 6)] == [0, 1, 2]


@pytest.mark.parametrize(
    ("average", "rate", "segment_ms"),
    [
        (Fraction(24000, 1001), Fraction(24000, 1001), 4004),
        (Fraction(2997, 100), Fraction(30000, 1001), 4004),
        (Fraction(25), Fraction(25), 4000),
        (Fraction(267, 8), Fraction(34), 4000),
        (Fraction(120), Fraction(60), 4000),
        (Fraction(60000, 1001), Fraction(60000, 1001), 4004),
        (Fraction(1, 10), Fraction(1), 4000),
        (Fraction(100_000), Fraction(49), 4000),
    ],
)
def test_rates_are_constant_and_segments_last_whole_milliseconds(
    average: Fraction, rate: Fraction, segment_ms: int
) -> None:
    assert constant_rate(average) == rate
    assert of(1280, 720, average).segment_ms == segment_ms


def test_a_version_follows_from_source_and_builds() -> None:
    digest = "0" * 64
    assert version(digest, "ffmpeg 9") == version(digest, "ffmpeg 9")
    assert len({version(digest, "ffmpeg 9"), version(digest, "ffmpeg 10"), version("1" * 64, "ffmpeg 9")}) == 3
    assert len(version(digest, "ffmpeg 9")) == 32


def test_sound_begins_with_its_first_frame_in_each_segment_of_the_picture_and_never_drifts() -> None:
    two_hours = sound_segments(2 * 3600 * 48_000, 4_004)
    starts = list(accumulate(two_hours, initial=0))
    assert starts[-1] == 2 * 3600 * 48_000
    late = [start - number * 4_004 * 48 for number, start in enumerate(starts[:-1])]
    assert min(late) == 0
    assert max(late) < 1024
    assert {start % 1024 for start in starts[:-1]} == {0}


@pytest.mark.parametrize(
    ("samples", "segments"),
    [(1_024, [1_024]), (192_000, [192_000]), (192_512, [192_512]), (193_536, [192_512, 1_024])],
)
def test_sound_that_ends_near_a_cut_has_no_empty_segment(samples: int, segments: list[int]) -> None:
    assert sound_segments(samples, 4_000) == segments
