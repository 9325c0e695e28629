"""The packager cuts what was encoded into CMAF segments with HLS playlists, and each rung is read again to check it."""

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path

import msgspec

from domain.media.ladder import AUDIO, AUDIO_RATE, SHEET, Ladder, sound_segments
from domain.media.packaged import avc_codec, bit_rates, segments, thumbnail_cues
from domain.media.source import MAX_DURATION_S
from infra.video.programs import FFPROBE, PACKAGER
from schemas.events import AudioTrack, Rendition, Thumbnails


@dataclass(frozen=True, slots=True)
class _Track:
    """One playlist and its segments; paths are within the folder of the version."""

    folder: str
    prefix: str
    playlist: str

    @property
    def init(self) -> str:
        return f"{self.folder}/{self.prefix}init.mp4"

    def descriptor(self, encoded: Path, kind: str) -> str:
        return (
            f"in={encoded},stream={kind},init_segment={self.init},"
            f"segment_template={self.folder}/{self.prefix}$Number$.m4s,playlist_name={self.playlist}"
        )


MOST_SAMPLES = (MAX_DURATION_S + 60) * AUDIO_RATE
ROUNDED_S = 0.001
"""Playlists have milliseconds."""
_SOUND = _Track("q0", f"{AUDIO}-", f"q0/{AUDIO}.m3u8")


def _picture(quality: int) -> _Track:
    return _Track(f"q{quality}", "", f"q{quality}/playlist.m3u8")


class Package(msgspec.Struct, frozen=True, kw_only=True):
    """What an asset's record says of its files."""

    duration_ms: int
    segment_ms: int
    renditions: tuple[Rendition, ...]
    audio: tuple[AudioTrack, ...]
    thumbnails: Thumbnails


def package(encoded: Path, ladder: Ladder, frames: int, folder: Path) -> Package:
    """Fill ``folder``, which becomes the folder of the version, from the files that ``encode`` wrote.

    RuntimeError if the files do not have exactly these frames: then the encoder or the packager is at fault.
    """
    _pack(encoded, ladder, folder)
    thumbnails = _thumbnails(encoded, ladder, frames, folder)
    return Package(
        duration_ms=int(frames / ladder.rate * 1000),
        segment_ms=ladder.segment_ms,
        renditions=tuple(_rendition(folder, ladder, number, frames) for number in range(len(ladder.rungs))),
        audio=(_audio(folder, ladder),) if ladder.channels else (),
        thumbnails=thumbnails,
    )


def _pack(encoded: Path, ladder: Ladder, folder: Path) -> None:
    pictures = [_picture(rung.quality).descriptor(encoded / f"q{rung.quality}.mp4", "video") for rung in ladder.rungs]
    # A segment ends at the first key frame after its duration: half a frame less than the distance of key frames.
    _run_packager(pictures, float((ladder.segment_frames - 0.5) / ladder.rate), folder)
    if ladder.channels:  # any frame of sound may begin a segment
        _run_packager([_SOUND.descriptor(encoded / f"{AUDIO}.mp4", "audio")], ladder.segment_ms / 1000, folder)


def _run_packager(tracks: list[str], segment_s: float, folder: Path) -> None:
    options = ("--hls_playlist_type", "VOD", "--hls_master_playlist_output", "master.m3u8")
    command = [PACKAGER, *tracks, "--segment_duration", f"{segment_s:.6f}", *options]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"the packager failed: {done.stderr[-2000:]}")
    (folder / "master.m3u8").unlink()  # one is made for each session, of what it may play


def _rendition(folder: Path, ladder: Ladder, number: int, frames: int) -> Rendition:
    rung = ladder.rungs[number]
    track = _picture(rung.quality)
    _check(folder, track, frames, ladder.segments(frames))
    peak, average = _bit_rates(folder, track)
    return Rendition(
        quality=rung.quality,
        codec=avc_codec((folder / track.init).read_bytes()),
        width=rung.width,
        height=rung.height,
        frame_rate=round(float(ladder.rate), 3),
        frames=frames,
        peak_kbps=peak,
        average_kbps=average,
    )


def _audio(folder: Path, ladder: Ladder) -> AudioTrack:
    return AudioTrack(
        name=AUDIO,
        language="und",
        codec="mp4a.40.2",
        channels=ladder.channels,
        kbps=_bit_rates(folder, _SOUND)[1],
        samples=_samples(folder, ladder.segment_ms),
    )


def _samples(folder: Path, segment_ms: int) -> int:
    """Of the sound, whose segments are where players of a DASH manifest expect them."""
    seconds = [length for _, length in segments((folder / _SOUND.playlist).read_text())]
    last = max(1, round(seconds[-1] * AUDIO_RATE))
    before = sound_segments(MOST_SAMPLES, segment_ms)[: len(seconds) - 1]
    found = [*before, last]
    if any(abs(each / AUDIO_RATE - length) > ROUNDED_S for each, length in zip(found, seconds, strict=True)):
        raise RuntimeError(f"the sound has segments of {seconds[:9]} … s, not {found[:9]} … samples")
    return sum(found)


def _bit_rates(folder: Path, track: _Track) -> tuple[int, int]:
    playlist = (folder / track.playlist).read_text()
    names = [name for name, _ in segments(playlist)]
    return bit_rates(playlist, {name: (folder / track.folder / name).stat().st_size for name in names})


def _check(folder: Path, track: _Track, frames: int, expected_segments: int) -> None:
    """Every segment parses, in the order of the playlist; the frames are all there and begin at 0."""
    entries = "stream=nb_read_packets:format=start_time"
    allowed = ("-allowed_extensions", "ALL", "-protocol_whitelist", "file")
    found = subprocess.run(
        [FFPROBE, "-v", "error", *allowed, "-count_packets", "-show_entries", entries, "-of", "json", track.playlist],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    if found.returncode or found.stderr:
        raise RuntimeError(f"{track.playlist} does not parse: {found.stderr[-2000:]}")
    read = json.loads(found.stdout)
    counted = int(read["streams"][0]["nb_read_packets"])
    parts = len(segments((folder / track.playlist).read_text()))
    starts = float(read["format"]["start_time"])
    if (counted, parts, starts) != (frames, expected_segments, 0.0):
        raise RuntimeError(
            f"{track.playlist} has {counted} frames in {parts} segments from {starts} s, "
            f"not {frames} in {expected_segments} from 0"
        )


def _thumbnails(encoded: Path, ladder: Ladder, frames: int, folder: Path) -> Thumbnails:
    width, height = ladder.thumbnail
    count = ladder.segments(frames)
    sheets = -(-count // SHEET**2)
    for number in range(1, sheets + 1):
        (encoded / f"thumbnails-{number}.jpg").rename(folder / f"q0/thumbnails-{number}.jpg")
    duration_ms = int(frames / ladder.rate * 1000)
    cues = thumbnail_cues(count, ladder.segment_ms, duration_ms, width, height)
    (folder / "q0/thumbnails.vtt").write_text(cues)
    return Thumbnails(interval_ms=ladder.segment_ms, width=width, height=height, columns=SHEET, rows=SHEET, count=count)
