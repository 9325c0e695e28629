"""A file that a process starts from."""

import os
from pathlib import Path

import pytest

from infra.runtime.kept_file import KeptFile


@pytest.fixture
def kept(tmp_path: Path) -> KeptFile:
    return KeptFile(tmp_path / "playback" / "titles.jsonl")


def content(kept: KeptFile) -> bytes | None:
    found = kept.read()
    return found.content if found else None


def test_what_was_written_last_is_read(kept: KeptFile) -> None:
    assert content(kept) is None
    kept.write(b"first")
    kept.write(b"second")
    assert content(kept) == b"second"
    assert [each.name for each in kept.path.parent.iterdir()] == ["titles.jsonl"]


def test_a_write_that_breaks_off_leaves_the_one_before(kept: KeptFile, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError("No space left on device")

    kept.write(b"first")
    monkeypatch.setattr(os, "fsync", full)
    kept.write(b"second")
    assert content(kept) == b"first"


def test_what_cannot_be_read_is_not_there(tmp_path: Path) -> None:
    assert KeptFile(tmp_path).read() is None
