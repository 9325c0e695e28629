"""What is read from the packager's files, and the thumbnails' cues."""

from domain.media.packaged import avc_codec, bit_rates, segments, thumbnail_cues

PLAYLIST = """#EXTM3U
#EXT-X-TARGETDURATION:5
#EXT-X-MAP:URI="init.mp4"
#EXTINF:4.004,
1.m4s
#EXTINF:0.5,
2.m4s
#EXT-X-ENDLIST
"""


def test_segments_of_a_playlist() -> None:
    assert segments(PLAYLIST) == [("1.m4s", 4.004), ("2.m4s", 0.5)]


def test_the_peak_is_of_one_segment_and_the_average_of_all() -> None:
    assert bit_rates(PLAYLIST, {"1.m4s": 500_500, "2.m4s": 125_000}) == (2000, 1112)


def test_the_codec_comes_from_profile_constraints_and_level() -> None:
    assert avc_codec(b"....avcC\x01\x64\x00\x1f\xff") == "avc1.64001f"


def test_cues_fill_a_sheet_row_by_row_and_go_on_to_the_next() -> None:
    cues = thumbnail_cues(26, 4000, 102_500, 160, 90).split("\n\n")
    assert len(cues) == 27
    assert cues[0] == "WEBVTT"
    assert cues[7] == "00:00:24.000 --> 00:00:28.000\nthumbnails-1.jpg#xywh=160,90,160,90"
    assert cues[26] == "00:01:40.000 --> 00:01:42.500\nthumbnails-2.jpg#xywh=0,0,160,90\n"
