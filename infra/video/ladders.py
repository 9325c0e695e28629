"""Finished ladders, kept by version in ``<home>/media``: the same source is encoded once for all stacks of a home.

A ladder appears whole, by a rename. One encode runs at a time; the next one deletes what a killed one left.
"""

import fcntl
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import msgspec

from domain.media.ladder import ladder
from infra.video.encode import encode
from infra.video.inspect import inspect
from infra.video.package import Package, package

MAX_BYTES = 4 * 2**30
"""Of all finished ladders; the one that was not used for longest goes first."""
RECORD = "package.json"
OnFrame = Callable[[int, int | None], None]
"""Gets the number of frames encoded, and how many are expected (None where the file does not say)."""


@dataclass(frozen=True, slots=True)
class Prepared:
    folder: Path
    """Of the version: its files are named as in ``domain.media.files``."""
    package: Package

    def files(self) -> list[Path]:
        """Segments before the playlists that name them."""
        found = [path for path in self.folder.rglob("*") if path.is_file() and path.name != RECORD]
        return sorted(found, key=lambda path: (path.suffix in (".m3u8", ".vtt"), path))


def prepare(home: Path, version: str, file: BinaryIO, on_frame: OnFrame) -> Prepared:
    """The ladder of that version, encoded unless it is kept. Refused if the file cannot be a video; then nothing stays.

    ``file`` is a regular file. Only this function and what it calls read it as video.
    """
    media = home / "media"
    with _locked(media):
        kept = media / version
        if not (kept / RECORD).exists():
            work = media / f".{version}"
            try:
                _make(file, work, on_frame)
                (work / "ladder").rename(kept)
            finally:
                shutil.rmtree(work, ignore_errors=True)
        os.utime(kept)
        _make_room(media)
        return Prepared(kept, msgspec.json.decode((kept / RECORD).read_bytes(), type=Package))


def _make(file: BinaryIO, work: Path, on_frame: OnFrame) -> None:
    encoded, fresh = work / "encoded", work / "ladder"
    source = inspect(file)
    steps = ladder(source)
    expected = None if source.duration_s is None else round(source.duration_s * steps.rate)
    encoded.mkdir(parents=True)
    (fresh / "q0").mkdir(parents=True)
    frames = encode(file, source, steps, encoded, lambda frame: on_frame(frame, expected))
    (fresh / RECORD).write_bytes(msgspec.json.encode(package(encoded, steps, frames, fresh)))


def _make_room(media: Path) -> None:
    """Delete the ladders that were not used for longest, but never the newest."""
    ladders = sorted((path for path in media.iterdir() if path.is_dir()), key=lambda path: path.stat().st_mtime)
    sizes = {path: sum(file.stat().st_size for file in path.rglob("*")) for path in ladders}
    for path in ladders[:-1]:
        if sum(sizes.values()) <= MAX_BYTES:
            return
        shutil.rmtree(path)
        del sizes[path]


@contextmanager
def _locked(media: Path) -> Iterator[None]:
    media.mkdir(parents=True, exist_ok=True)
    with (media / ".lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        for left in media.glob(".*"):
            if left.is_dir():
                shutil.rmtree(left)
        yield
