"""Which files are accepted, by what ffprobe says of them."""

from fractions import Fraction
from typing import Any

import pytest

from domain.media.source import Reason, Refused, Source, accept

PICTURE: dict[str, Any] = {
    "index": 0,
    "codec_type": "video",
    "codec_name": "h264",
    "width": 1280,
    "height": 720,
    "sample_aspect_ratio": "1:1",
    "avg_frame_rate": "24000/1001",
    "duration": "9.5",
    "nb_frames": "228",
    "field_order": "progressive",
    "disposition": {"default": 1, "attached_pic": 0},
}
SOUND: dict[str, Any] = {"index": 1, "codec_type": "audio", "codec_name": "aac", "channels": 6}


def probe(*streams: dict[str, Any]) -> dict[str, Any]:
    return {"streams": list(streams), "format": {"duration": "9.6"}}


def test_a_film_with_sound() -> None:
    assert accept(probe(PICTURE, SOUND)) == Source(
        video=0,
        audio=1,
        channels=6,
        width=1280,
        height=720,
        average_rate=Fraction(24000, 1001),
        duration_s=9.5,
        interlaced=False,
    )


def test_a_silent_film_of_unknown_length() -> None:
    source = accept({"streams": [{**PICTURE, "duration": None, "nb_frames": 0}], "format": {}})
    assert (source.audio, source.channels, source.duration_s) == (None, 0, None)


def test_the_default_sound_is_taken_and_a_cover_picture_is_no_video() -> None:
    cover = {**PICTURE, "disposition": {"attached_pic": 1}}
    dubbed = {**SOUND, "index": 3, "disposition": {"default": 1}}
    source = accept(probe(cover, {**PICTURE, "index": 1}, {**SOUND, "index": 2}, dubbed))
    assert (source.video, source.audio) == (1, 3)


def test_a_picture_is_measured_as_it_is_shown() -> None:
    wide = accept(probe({**PICTURE, "width": 720, "height": 576, "sample_aspect_ratio": "64:45"}))
    assert (wide.width, wide.height) == (1024, 576)
    upright = accept(probe({**PICTURE, "side_data_list": [{"rotation": -90}]}))
    assert (upright.width, upright.height) == (720, 1280)


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"width": 65535, "height": 65535}, "picture too large"),
        ({"width": 0, "height": 0}, "no picture"),
        ({"width": 1280, "height": 62}, "picture too small"),
        ({"width": 1280, "height": 300}, "picture too narrow"),
        ({"width": 128, "sample_aspect_ratio": "1000:1"}, "picture too narrow"),
        ({"avg_frame_rate": "0/0"}, "no frame rate"),
        ({"avg_frame_rate": "0/1"}, "no frame rate"),
        ({"avg_frame_rate": "9/10"}, "no frame rate"),
        ({"duration": "14401"}, "too long"),
        ({"duration": "0.04"}, "too short"),
        ({"nb_frames": "100000000"}, "too many frames"),
        ({"avg_frame_rate": "100000000/1"}, "too many frames"),
        ({"codec_name": ""}, "no picture"),
        ({"codec_type": "audio", "channels": 2}, "no picture"),
    ],
)
def test_each_limit_has_a_name(changed: dict[str, Any], reason: Reason) -> None:
    with pytest.raises(Refused) as refused:
        accept(probe({**PICTURE, **changed}))
    assert refused.value.reason == reason


def test_too_many_streams() -> None:
    with pytest.raises(Refused, match="too many streams: 33, at most 32"):
        accept(probe(*[PICTURE] * 33))
