"""The manifests of a small asset, as text, and what a token takes away from them."""

from xml.etree import ElementTree

from domain.media.playlists import mpd, multivariant_playlist
from schemas.events import AudioTrack
from tests.support.assets import trailer as asset

BASE = "http://edge/t/TOKEN"
NAMES = {"m": "urn:mpeg:dash:schema:mpd:2011"}


def test_the_playlist_lists_the_ladder_over_one_audio_group() -> None:
    assert multivariant_playlist(asset(), BASE, quality=3) == (
        "#EXTM3U\n"
        "#EXT-X-VERSION:7\n"
        "#EXT-X-INDEPENDENT-SEGMENTS\n"
        '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="audio",NAME="english",LANGUAGE="en",DEFAULT=YES,AUTOSELECT=YES,CHANNELS="2",'
        'URI="http://edge/t/TOKEN/0a1b/q0/english.m3u8"\n'
        "#EXT-X-STREAM-INF:BANDWIDTH=728000,AVERAGE-BANDWIDTH=528000,"
        'CODECS="avc1.64001f,mp4a.40.2",RESOLUTION=426x234,FRAME-RATE=23.976,NAME="234p",AUDIO="audio"\n'
        "http://edge/t/TOKEN/0a1b/q1/playlist.m3u8\n"
        "#EXT-X-STREAM-INF:BANDWIDTH=2628000,AVERAGE-BANDWIDTH=1928000,"
        'CODECS="avc1.64001f,mp4a.40.2",RESOLUTION=1280x720,FRAME-RATE=23.976,NAME="720p",AUDIO="audio"\n'
        "http://edge/t/TOKEN/0a1b/q2/playlist.m3u8\n"
    )


def test_a_lower_quality_leaves_the_higher_ones_away() -> None:
    assert "q2" not in multivariant_playlist(asset(), BASE, quality=1)
    assert "q2" not in mpd(asset(), BASE, quality=1)


def test_a_silent_film_has_no_audio_group() -> None:
    playlist = multivariant_playlist(asset(audio=()), BASE, quality=3)
    assert "AUDIO" not in playlist
    assert 'CODECS="avc1.64001f",' in playlist
    assert "BANDWIDTH=600000," in playlist


def test_of_several_tracks_the_first_is_the_default_and_an_unknown_language_is_not_named() -> None:
    tracks = tuple(
        AudioTrack(name=name, language=language, codec="mp4a.40.2", channels=2, kbps=128)
        for name, language in (('the "first"', "und"), ("french", "fr"))
    )
    lines = multivariant_playlist(asset(audio=tracks), BASE, quality=3).splitlines()[3:5]
    assert lines[0].startswith(
        '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="audio",NAME="the \'first\'",DEFAULT=YES,AUTOSELECT=YES,'
    )
    assert 'LANGUAGE="fr",DEFAULT=NO' in lines[1]


def test_the_mpd_is_static_and_names_the_same_segments() -> None:
    root = ElementTree.fromstring(mpd(asset(), BASE, quality=3))  # noqa: S314  (our own)
    assert (root.get("type"), root.get("mediaPresentationDuration")) == ("static", "PT55.083S")
    assert root.findtext("m:BaseURL", namespaces=NAMES) == "http://edge/t/TOKEN/0a1b/"
    found = {
        each.get("id"): each.find("m:SegmentTemplate", NAMES)
        for each in root.iterfind("m:Period/m:AdaptationSet/m:Representation", NAMES)
    }
    assert list(found) == ["q1", "q2", "english"]
    assert found["q2"] is not None
    assert found["q2"].attrib == {
        "timescale": "1000",
        "duration": "4000",
        "startNumber": "1",
        "initialization": "q2/init.mp4",
        "media": "q2/$Number$.m4s",
    }
    assert found["english"] is not None
    assert found["english"].get("media") == "q0/english-$Number$.m4s"


def test_the_mpd_says_where_each_segment_of_sound_begins() -> None:
    sound = AudioTrack(name="main", language="und", codec="mp4a.40.2", channels=1, kbps=64, samples=9 * 48_000)
    root = ElementTree.fromstring(mpd(asset(audio=(sound,), segment_ms=4_000), BASE, quality=1))  # noqa: S314  (our own)
    track = root.find("m:Period/m:AdaptationSet[@contentType='audio']/m:Representation", NAMES)
    assert track is not None
    template = track.find("m:SegmentTemplate", NAMES)
    assert template is not None
    assert (template.get("timescale"), template.get("startNumber"), template.get("duration")) == ("48000", "1", None)
    starts = [each.attrib for each in template.iterfind("m:SegmentTimeline/m:S", NAMES)]
    assert starts == [{"d": "192512", "r": "0", "t": "0"}, {"d": "191488", "r": "0"}, {"d": "48000", "r": "0"}]
    channels = track.find("m:AudioChannelConfiguration", NAMES)
    assert channels is not None
    assert channels.get("value") == "1"


def test_frame_rates_are_whole_or_fractions_in_dash() -> None:
    root = ElementTree.fromstring(mpd(asset(), BASE, quality=1))  # noqa: S314  (our own)
    video = root.find("m:Period/m:AdaptationSet/m:Representation", NAMES)
    assert video is not None
    assert video.get("frameRate") == "24000/1001"
