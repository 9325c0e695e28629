"""One ffmpeg process, in the sandbox: reads a source once and writes three rungs, the sound and the thumbnails."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from domain.media.ladder import AUDIO, AUDIO_KBPS, AUDIO_RATE, SHEET, Ladder, Rung
from domain.media.source import MAX_DURATION_S, Refused, Source
from infra.video.inspect import SOURCE, UNTRUSTED, refusal
from infra.video.programs import FFMPEG
from infra.video.sandbox import Finished, Limits, run

MEMORY, MEMORY_PER_PIXEL = 832 * 2**20, 64
"""Address space that an encode may take: a start, and so much for each pixel of the source."""
CPU_S, CPU_PER_SECOND, WALL_PER_CPU = 60, 30, 6
"""Processor time that an encode may take: a start, and so much for each second of film. Wall time: many times that."""
LARGEST_FILE = 16 * 2**30
SLACK_S = 1.0
"""What a film may be shorter or longer than its container says."""
MAX_DAMAGED = 0.02
"""Part of a source that may be unreadable: players conceal a lost frame, but not a lost scene."""

_RATE_FILTER = re.compile(r"\[Parsed_fps_\d+ .*\] (\d+) frames in, (\d+) frames out")


def encode(file: BinaryIO, source: Source, ladder: Ladder, folder: Path, on_frame: Callable[[int], None]) -> int:
    """Write ``q<n>.mp4``, ``<audio>.mp4`` and thumbnail sheets into the folder; returns the number of frames.

    It is the count of the constant-rate reading, before any encoder. Refused if the source cannot be read to its end.
    """

    def progress(line: str) -> None:
        if line.startswith("frame="):
            on_frame(int(line.removeprefix("frame=")))

    done = run(_command(source, ladder), _limits(source), source=file, folder=folder, on_line=progress)
    if done.code or done.exceeded:
        raise refusal(done, "damaged")
    frames = _frames(done)
    _check_length(source, ladder, frames)
    return frames


def _command(source: Source, ladder: Ladder) -> list[str]:
    longest = MAX_DURATION_S if source.duration_s is None else source.duration_s + 2 * SLACK_S
    command = [
        *(
            FFMPEG,
            "-nostdin",
            "-nostats",
            "-hide_banner",
            "-loglevel",
            "verbose",
            "-stats_period",
            "0.5",
            "-progress",
            "pipe:1",
        ),
        *("-filter_complex_threads", "1", *UNTRUSTED, "-max_error_rate", str(MAX_DAMAGED), "-threads", "2"),
        *("-reinit_filter", "0", "-t", f"{longest:.3f}", *SOURCE, "-filter_complex", _filters(source, ladder)),
    ]
    for rung in ladder.rungs:
        command += _video(rung, ladder)
    if source.audio is not None:
        sound = ("-filter:a", f"aresample={AUDIO_RATE}:async=1:first_pts=0", "-ac", str(ladder.channels))
        command += [
            "-map",
            f"0:{source.audio}",
            *_BARE,
            *sound,
            "-c:a",
            "aac",
            "-b:a",
            f"{AUDIO_KBPS}k",
            f"{AUDIO}.mp4",
        ]
    command += ["-map", "[sheets]", *_BARE, "-fps_mode", "passthrough", "-c:v", "mjpeg", "-q:v", "4"]
    return [*command, "-f", "image2", "thumbnails-%d.jpg"]


_BARE = ("-map_metadata", "-1", "-map_chapters", "-1", "-fflags", "+bitexact", "-flags", "+bitexact")
"""Nothing of the source but its picture and sound: a phone's files say where it was."""


def _filters(source: Source, ladder: Ladder) -> str:
    """A constant rate from time 0, then a branch for each rung, and the first frame of each segment for the sheets."""
    deinterlace = "bwdif=mode=send_frame," if source.interlaced else ""
    names = "".join(f"[s{rung.quality}]" for rung in ladder.rungs)
    constant = f"[0:{source.video}]{deinterlace}fps={ladder.rate}:start_time=0,split={len(ladder.rungs) + 1}"
    width, height = ladder.thumbnail
    sheets = (
        f"select='not(mod(n,{ladder.segment_frames}))',scale={width}:{height},setsar=1,format=yuvj420p,"
        f"tile={SHEET}x{SHEET}"
    )
    branches = [
        f"[s{rung.quality}]scale={rung.width}:{rung.height},setsar=1,format=yuv420p[v{rung.quality}]"
        for rung in ladder.rungs
    ]
    return ";".join((f"{constant}{names}[s0]", *branches, f"[s0]{sheets}[sheets]"))


def _video(rung: Rung, ladder: Ladder) -> list[str]:
    """Closed groups of pictures of one segment each, the same in every rung. A fixed number of threads gives the same
    bytes on every machine."""
    frames = str(ladder.segment_frames)
    numerator = ladder.rate.numerator
    return [
        *("-map", f"[v{rung.quality}]", *_BARE, "-fps_mode", "passthrough", "-c:v", "libx264", "-preset", "veryfast"),
        *("-profile:v", "high", "-crf", "23", "-maxrate", f"{rung.max_kbps}k", "-bufsize", f"{2 * rung.max_kbps}k"),
        *("-g", frames, "-keyint_min", frames, "-sc_threshold", "0", "-flags", "+cgop+bitexact", "-threads", "2"),
        *("-video_track_timescale", str(numerator if numerator > 1000 else numerator * 1000), f"q{rung.quality}.mp4"),
    ]


def _limits(source: Source) -> Limits:
    cpu_s = CPU_S + CPU_PER_SECOND * round(MAX_DURATION_S if source.duration_s is None else source.duration_s)
    memory = MEMORY + MEMORY_PER_PIXEL * source.width * source.height
    return Limits(memory=memory, cpu_s=cpu_s, wall_s=WALL_PER_CPU * cpu_s, file_bytes=LARGEST_FILE)


def _frames(done: Finished) -> int:
    counted = [match for line in done.log if (match := _RATE_FILTER.search(line))]
    if len(counted) != 1:
        raise RuntimeError("ffmpeg did not say how many frames its constant rate has: " + "".join(done.log[-5:]))
    if counted[0][1] == "0":
        raise Refused("damaged", "no frame of the picture can be decoded")
    return int(counted[0][2])


def _check_length(source: Source, ladder: Ladder, frames: int) -> None:
    seconds = frames / ladder.rate
    if source.duration_s is None:
        if seconds >= MAX_DURATION_S:
            raise Refused("too long", f"at most {MAX_DURATION_S:,} s")
        return
    slack = SLACK_S + 0.01 * source.duration_s
    if seconds < source.duration_s - slack:
        raise Refused("truncated", f"{float(seconds):.1f} s of {source.duration_s:.1f} s can be read")
    if seconds > source.duration_s + slack:
        raise Refused("damaged", f"the picture lasts longer than the {source.duration_s:.1f} s that the file declares")
