"""Files as cameras, phones and editors make them: each becomes a whole ladder, with every frame that was promised."""

import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from infra.video.inspect import inspect
from infra.video.ladders import Prepared, prepare
from infra.video.programs import FFMPEG, FFPROBE
from tests.support.clips import clip

FRAMES = 25
LANDSCAPE = [(160, 90), (214, 120), (320, 180)]
SURROUND = ("-filter:a", "pan=5.1|FL=c0|FR=c0|FC=c0|LFE=c0|BL=c0|BR=c0", "-c:a", "ac3")
FIELDS = ("-vf", "tinterlace=interleave_top", "-flags", "+ilme+ildct")
HDR = ("-color_primaries", "bt2020", "-color_trc", "smpte2084", "-colorspace", "bt2020nc")


def of(*options: str, name: str = "film.mp4", **picture: str) -> Callable[[Path], Path]:
    """A second of film, made with these options."""
    return lambda folder: clip(folder / name, *options, seconds=1, **picture)  # type: ignore[arg-type]


def rotated(folder: Path) -> Path:
    """As a phone held upright writes it: the picture lies on its side, and the file says so."""
    lying, upright = clip(folder / "lying.mp4", seconds=1), folder / "upright.mp4"
    command = [FFMPEG, "-v", "error", "-display_rotation", "90", "-i", str(lying), "-c", "copy", str(upright)]
    subprocess.run(command, check=True)
    return upright


def silent_from_the_middle(folder: Path) -> Path:
    whole, short = clip(folder / "whole.mp4", seconds=1), folder / "short.mkv"
    inputs = ("-i", str(whole), "-t", "0.4", "-i", str(whole), "-map", "0:v", "-map", "1:a")
    subprocess.run([FFMPEG, "-v", "error", *inputs, "-c", "copy", str(short)], check=True)
    return short


@dataclass(frozen=True)
class Odd:
    make: Callable[[Path], Path]
    frames: int = FRAMES
    sizes: list[tuple[int, int]] = field(default_factory=lambda: LANDSCAPE)
    rate: float = 25.0
    channels: list[int] = field(default_factory=lambda: [1])
    interlaced: bool = False


ODD = {
    "upright, by a rotation in the metadata": Odd(rotated, sizes=[(90, 160), (120, 214), (180, 320)]),
    "of a varying frame rate": Odd(
        of("-vf", "select='if(lt(n,15),mod(n,3),1)'", "-fps_mode", "vfr", rate="30"), frames=26, rate=26.0
    ),
    "interlaced": Odd(
        of(*FIELDS, "-x264opts", "tff=1", rate="50"),
        interlaced=True,
    ),
    "interlaced MPEG-2 in a transport stream, which begins at 1.4 s": Odd(
        of(
            "-vf", "tinterlace=interleave_top", "-c:v", "mpeg2video", "-flags", "+ilme+ildct", name="film.ts", rate="50"
        ),
        interlaced=True,
    ),
    "without sound": Odd(of("-an"), channels=[]),
    "with six channels": Odd(of(*SURROUND, name="film.mkv"), channels=[2]),
    "with sound at 44,100 samples a second": Odd(of("-ar", "44100", "-ac", "2"), channels=[2]),
    "with sound that ends before the picture": Odd(silent_from_the_middle),
    "of odd width and height": Odd(
        of("-pix_fmt", "yuv444p", size="321x181"), sizes=[(160, 90), (214, 120), (320, 180)]
    ),
    "with pixels twice as wide as high": Odd(of("-vf", "scale=160:180,setsar=2/1")),
    "with ten bits and HDR": Odd(of("-c:v", "libx265", "-pix_fmt", "yuv420p10le", *HDR)),
    "ProRes of an editor": Odd(
        of("-c:v", "prores_ks", "-pix_fmt", "yuv422p10le", "-c:a", "pcm_s16le", name="film.mov")
    ),
    "with frames that lean on later ones": Odd(of("-bf", "3", "-preset", "fast", "-g", "250")),
    "VP9 and Opus": Odd(of("-c:v", "libvpx-vp9", "-cpu-used", "8", "-c:a", "libopus", name="film.webm")),
    "at 120 frames a second": Odd(of(rate="120"), frames=60, rate=60.0),
}


@pytest.mark.parametrize("odd", ODD.values(), ids=ODD)
def test_a_film_becomes_a_ladder(tmp_path: Path, odd: Odd) -> None:
    with odd.make(tmp_path).open("rb") as file:
        assert inspect(file).interlaced == odd.interlaced
        made = prepare(tmp_path / "home", "version", file, lambda *_: None)
    renditions = made.package.renditions
    assert [(each.width, each.height) for each in renditions] == odd.sizes
    assert {(each.frames, each.frame_rate) for each in renditions} == {(odd.frames, odd.rate)}
    assert [each.channels for each in made.package.audio] == odd.channels
    assert decoded(made) == ["yuv420p,progressive"] * odd.frames


def decoded(made: Prepared) -> list[str]:
    """Pixels and fields of every frame of the highest rung; any complaint of the decoder fails."""
    playlist = made.folder / f"q{len(made.package.renditions)}" / "playlist.m3u8"
    wanted = ("-show_entries", "frame=pix_fmt,interlaced_frame", "-of", "csv=p=0", "-allowed_extensions", "ALL")
    done = subprocess.run([FFPROBE, "-v", "error", *wanted, str(playlist)], check=True, capture_output=True, text=True)
    assert done.stderr == ""
    return [line.replace(",0", ",progressive").rstrip(",") for line in done.stdout.split()]
