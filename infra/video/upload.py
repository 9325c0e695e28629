"""From a file to a live video: digest, ladder, objects, record.

Whatever happens on the way, the same upload again completes it: the ladder is kept when it is whole, objects are put
if absent under names that contain the version, and the record that makes them live comes last.
"""

import hashlib
import os
import stat
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import msgspec

from domain.media.ladder import version
from domain.media.source import Refused
from infra.engines.s3 import ObjectStore
from infra.video.ladders import Prepared, prepare
from infra.video.programs import BUILDS
from schemas.events import Asset

IMMUTABLE = "public, max-age=31536000, immutable"
CONTENT_TYPES = {
    ".mp4": "video/mp4",
    ".m4s": "video/iso.segment",
    ".m3u8": "application/vnd.apple.mpegurl",
    ".jpg": "image/jpeg",
    ".vtt": "text/vtt; charset=utf-8",
}
CONCURRENT_PUTS = 8
BLOCK = 2**20

Progress = Callable[[str, int, int | None], None]
"""Gets the step (``read``, ``encode``, ``store``), how much of it is done, and of how much (None: not known)."""


@dataclass(frozen=True, slots=True)
class Uploaded:
    asset: Asset
    was_live: bool
    """The title had exactly this video already."""


def upload(
    path: Path,
    title_id: str,
    *,
    home: Path,
    store: ObjectStore,
    newest: Callable[[str], Asset | None],
    publish: Callable[[Asset], Asset],
    credit: str | None = None,
    language: str = "und",
    progress: Progress = lambda _step, _done, _of: None,
) -> Uploaded:
    """Make the file the video of the title. Refused if it cannot be one, TransientError if a backend is away.

    ``language`` is that of the sound, as in RFC 5646. ``newest`` reads a title's newest record; ``publish`` makes one
    live and returns it with its seq, and does nothing to one that is live.
    """
    with opened(path) as file:
        before = os.fstat(file.fileno())
        digest = _digest(file, before.st_size, progress)
        folder = version(digest, BUILDS)
        store.ensure_bucket()  # an external S3 may not have it yet
        live = newest(title_id)
        if live and live.status == "live" and _is(live, folder, credit, language):
            return Uploaded(publish(live), was_live=True)
        prepared = prepare(home, folder, file, lambda done, of: progress("encode", done, of))
        after = os.fstat(file.fileno())
        if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
            raise Refused("changed meanwhile", "the file was written to while it was read")
    _store(store, folder, prepared, progress)
    return Uploaded(publish(_asset(prepared, title_id, folder, digest, credit, language)), was_live=False)


def opened(path: Path) -> BinaryIO:
    """The regular file, to be read. Refused if it is not one."""
    # Not blocking, so that a pipe that nobody writes to is refused, too.
    try:
        file = os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb")
    except (OSError, ValueError) as error:
        raise Refused("not a file", getattr(error, "strerror", None) or str(error)) from error
    with suppress(OSError):
        if stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            return file
    file.close()
    raise Refused("not a file", "a folder, device or pipe cannot be uploaded")


def _digest(file: BinaryIO, size: int, progress: Progress) -> str:
    if not size:
        raise Refused("empty", "the file has no bytes")
    digest = hashlib.sha256()
    while block := file.read(BLOCK):
        digest.update(block)
        progress("read", file.tell(), size)
    return digest.hexdigest()


def _is(live: Asset, folder: str, credit: str | None, language: str) -> bool:
    return live.version == folder and live.credit == credit and all(track.language == language for track in live.audio)


def _store(store: ObjectStore, folder: str, prepared: Prepared, progress: Progress) -> None:
    there = set(store.list(f"{folder}/"))
    names = {f"{folder}/{path.relative_to(prepared.folder)}": path for path in prepared.files()}
    media = [key for key in names if key not in there and not key.endswith(".m3u8")]
    playlists = [key for key in names if key not in there and key.endswith(".m3u8")]
    done = len(names) - len(media) - len(playlists)

    def put(key: str) -> None:
        path = names[key]
        content_type = CONTENT_TYPES[path.suffix]
        store.put_if_absent(key, path.read_bytes(), {}, content_type=content_type, cache_control=IMMUTABLE)

    with ThreadPoolExecutor(CONCURRENT_PUTS) as pool:
        for keys in (media, playlists):  # a playlist names what is there
            for _ in pool.map(put, keys):
                done += 1
                progress("store", done, len(names))


def _asset(prepared: Prepared, title_id: str, folder: str, digest: str, credit: str | None, language: str) -> Asset:
    package = prepared.package
    return Asset(
        event_id="",
        received_at=0,
        title_id=title_id,
        seq=0,
        status="live",
        version=folder,
        source_digest=digest,
        credit=credit,
        duration_ms=package.duration_ms,
        segment_ms=package.segment_ms,
        renditions=package.renditions,
        audio=tuple(msgspec.structs.replace(track, language=language) for track in package.audio),
        thumbnails=package.thumbnails,
    )
