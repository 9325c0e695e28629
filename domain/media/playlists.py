"""The two manifests of an asset, as one session may see it: HLS multivariant playlist and DASH MPD.

Both name the same CMAF segments. They list the qualities that the session's path token opens, and nothing else; below
them every file is the same for everybody.
"""

from collections.abc import Iterable, Sequence
from itertools import groupby
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

from domain.media import files
from domain.media.ladder import AUDIO_RATE, sound_segments
from schemas.events import Asset, AudioTrack, Rendition

HLS_TYPE = "application/vnd.apple.mpegurl"
DASH_TYPE = "application/dash+xml"
UNKNOWN_LANGUAGE = "und"
_MPD = "urn:mpeg:dash:schema:mpd:2011"
_CHANNELS = "urn:mpeg:dash:23003:3:audio_channel_configuration:2011"


def multivariant_playlist(asset: Asset, base: str, quality: int) -> str:
    """HLS. ``base``: the address of the asset's files, with the token and without a slash at its end."""
    sound = max((track.kbps for track in asset.audio), default=0)
    lines = ["#EXTM3U", "#EXT-X-VERSION:7", "#EXT-X-INDEPENDENT-SEGMENTS"]
    lines += [_media(asset, track, base, first=track is asset.audio[0]) for track in asset.audio]
    for rendition in _allowed(asset, quality):
        codecs = dict.fromkeys([rendition.codec, *(track.codec for track in asset.audio)])
        attributes = {
            "BANDWIDTH": f"{(rendition.peak_kbps + sound) * 1000}",
            "AVERAGE-BANDWIDTH": f"{(rendition.average_kbps + sound) * 1000}",
            "CODECS": _quoted(",".join(codecs)),
            "RESOLUTION": f"{rendition.width}x{rendition.height}",
            "FRAME-RATE": f"{rendition.frame_rate:.3f}",
            "NAME": _quoted(f"{rendition.height}p"),
        }
        if asset.audio:
            attributes["AUDIO"] = _quoted("audio")
        lines += [
            f"#EXT-X-STREAM-INF:{_list(attributes)}",
            f"{base}/{files.video_playlist(asset.version, rendition.quality)}",
        ]
    return "\n".join(lines) + "\n"


def mpd(asset: Asset, base: str, quality: int) -> str:
    """DASH, static. ``base`` as for HLS."""
    root = Element(
        "MPD",
        {
            "xmlns": _MPD,
            "type": "static",
            "profiles": "urn:mpeg:dash:profile:isoff-live:2011",
            "minBufferTime": f"PT{asset.segment_ms / 1000:g}S",
            "mediaPresentationDuration": f"PT{asset.duration_ms / 1000:g}S",
        },
    )
    SubElement(root, "BaseURL").text = f"{base}/{asset.version}/"
    period = SubElement(root, "Period", {"id": "0"})
    video = SubElement(period, "AdaptationSet", _set("video"))
    for rendition in _allowed(asset, quality):
        attributes = {
            "id": f"q{rendition.quality}",
            "bandwidth": f"{rendition.peak_kbps * 1000}",
            "codecs": rendition.codec,
            "width": f"{rendition.width}",
            "height": f"{rendition.height}",
            "frameRate": _fraction(rendition.frame_rate),
        }
        representation = SubElement(video, "Representation", attributes)
        _segments(representation, asset, f"q{rendition.quality}/")
    for track in asset.audio:
        audio = SubElement(period, "AdaptationSet", {**_set("audio"), "lang": track.language})
        representation = SubElement(
            audio,
            "Representation",
            {
                "id": track.name,
                "bandwidth": f"{track.kbps * 1000}",
                "codecs": track.codec,
                "audioSamplingRate": f"{AUDIO_RATE}",
            },
        )
        SubElement(
            representation, "AudioChannelConfiguration", {"schemeIdUri": _CHANNELS, "value": f"{track.channels}"}
        )
        template = _segments(representation, asset, f"q0/{track.name}-")
        if track.samples:
            _timeline(template, sound_segments(track.samples, asset.segment_ms))
    ElementTree.indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ElementTree.tostring(root, encoding="unicode")}\n'


def _allowed(asset: Asset, quality: int) -> Sequence[Rendition]:
    """The lowest first: a player that knows nothing of the network yet begins with the first."""
    allowed = [each for each in asset.renditions if each.quality <= quality]
    return sorted(allowed, key=lambda each: each.quality)


def _media(asset: Asset, track: AudioTrack, base: str, *, first: bool) -> str:
    attributes = {"TYPE": "AUDIO", "GROUP-ID": _quoted("audio"), "NAME": _quoted(track.name)}
    if track.language != UNKNOWN_LANGUAGE:
        attributes["LANGUAGE"] = _quoted(track.language)
    attributes |= {
        "DEFAULT": "YES" if first else "NO",
        "AUTOSELECT": "YES",
        "CHANNELS": _quoted(f"{track.channels}"),
        "URI": _quoted(f"{base}/{files.audio_playlist(asset.version, track.name)}"),
    }
    return f"#EXT-X-MEDIA:{_list(attributes)}"


def _set(kind: str) -> dict[str, str]:
    return {"contentType": kind, "mimeType": f"{kind}/mp4", "segmentAlignment": "true", "startWithSAP": "1"}


def _segments(representation: Element, asset: Asset, prefix: str) -> Element:
    """Segments of one length. The last one is shorter."""
    return SubElement(
        representation,
        "SegmentTemplate",
        {
            "timescale": "1000",
            "duration": f"{asset.segment_ms}",
            "startNumber": "1",
            "initialization": f"{prefix}init.mp4",
            "media": f"{prefix}$Number$.m4s",
        },
    )


def _timeline(template: Element, samples: Iterable[int]) -> None:
    """Sound is cut between its frames, so segments differ by one. Samples of each."""
    del template.attrib["duration"]
    template.set("timescale", f"{AUDIO_RATE}")
    timeline = SubElement(template, "SegmentTimeline")
    for length, same in groupby(samples):
        SubElement(timeline, "S", {"d": f"{length}", "r": f"{len(list(same)) - 1}"})
    timeline[0].set("t", "0")


def _fraction(rate: float) -> str:
    """DASH has frame rates as whole numbers or fractions: 24, 30000/1001."""
    return f"{rate:.0f}" if rate == round(rate) else f"{round(rate * 1001 / 1000) * 1000}/1001"


def _list(attributes: dict[str, str]) -> str:
    return ",".join(f"{name}={value}" for name, value in attributes.items())


def _quoted(text: str) -> str:
    """HLS knows no escape inside quotes."""
    return f'"{text.translate(_UNQUOTABLE)}"'


_UNQUOTABLE = str.maketrans({'"': "'", "\n": " ", "\r": " "})
