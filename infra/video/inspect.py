"""ffprobe in the sandbox: what a file contains, or why it is refused."""

import json
from collections.abc import Iterable
from typing import BinaryIO

from domain.media.source import MAX_PIXELS, MAX_STREAMS, Reason, Refused, Source, accept
from infra.video.programs import FFPROBE
from infra.video.sandbox import Finished, Limits, run

CONTAINERS = (
    "mov,matroska,webm,avi,mpegts,mpeg,mpegvideo,ogg,flv,asf,mxf,nut,ivf,h264,hevc,obu,m4v,yuv4mpegpipe,rm,dv,wtv"
)
"""Demuxers that read one file and nothing else. Playlists, lists of files, pictures and scripts are not among them."""
UNTRUSTED = (
    *("-protocol_whitelist", "fd", "-format_whitelist", CONTAINERS),
    *("-max_streams", str(MAX_STREAMS), "-max_pixels", str(MAX_PIXELS)),
)
"""Options before a source, which is file descriptor 0: the only one that the protocol may open."""
SOURCE = ("-fd", "0", "-i", "fd:")
LIMITS = Limits(memory=512 * 2**20, cpu_s=10, wall_s=60)
ENTRIES = (
    "format=duration:stream=index,codec_type,codec_name,width,height,sample_aspect_ratio,avg_frame_rate,duration,"
    "nb_frames,channels,field_order:stream_disposition=attached_pic,default:stream_side_data=rotation"
)


def inspect(file: BinaryIO) -> Source:
    """Refused if the file is no video, or breaks a limit."""
    found = run(
        [FFPROBE, "-v", "error", "-threads", "1", *UNTRUSTED, "-show_entries", ENTRIES, "-of", "json", *SOURCE],
        LIMITS,
        source=file,
    )
    if found.code or found.exceeded or _has_too_many_streams(found):
        raise refusal(found, "not a video")
    return accept(json.loads(found.output))


def refusal(failed: Finished, otherwise: Reason) -> Refused:
    """Why a program gave up on a source; ``otherwise`` when it broke no limit."""
    if failed.exceeded == "memory":
        return Refused("too much memory", "reading the file takes more memory than a video needs")
    if failed.exceeded:
        return Refused("too much work", "reading the file takes longer than a video does")
    if _has_too_many_streams(failed):
        return Refused("too many streams", f"more than {MAX_STREAMS}")
    return Refused(otherwise, _last(failed.log))


def _has_too_many_streams(finished: Finished) -> bool:
    """ffprobe leaves them away and goes on."""
    return any("max_streams" in line for line in finished.log)


def _last(log: Iterable[str]) -> str:
    """The last line that says something, without the module that wrote it."""
    lines = [line.rpartition("] ")[2].removeprefix("fd:: ").strip() for line in log]
    said = [line for line in lines if line]
    return said[-1] if said else "it cannot be read"
