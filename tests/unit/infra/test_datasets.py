"""Data files are verified, appear whole, and are fetched only where they are missing. Nothing here is downloaded."""

import hashlib
import subprocess
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from infra.datasets import DatasetError, Source, fetch

BODY = b"user_id:token\titem_id:token\n7\t1\n"
SOURCE = Source("tastes==1.0", "tastes/data/tiny.inter", hashlib.sha256(BODY).hexdigest())
Pip = Callable[..., subprocess.CompletedProcess[str]]


def pip(body: bytes, code: int = 0, stderr: str = "") -> Pip:
    """Stands in for pip: puts a wheel where it is asked to, or fails."""

    def run(command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        if not code:
            with zipfile.ZipFile(Path(command[command.index("--dest") + 1], "tastes-1.0.whl"), "w") as wheel:
                wheel.writestr(SOURCE.inside, body)
        return subprocess.CompletedProcess(command, code, "", stderr)

    return run


def no_pip(*_: object, **__: object) -> None:
    pytest.fail("pip must not run")


def test_a_file_is_extracted_from_its_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subprocess, "run", pip(BODY))
    said: list[str] = []
    assert fetch(tmp_path / "d", said.append, (SOURCE,)).folder == tmp_path / "d"
    assert (tmp_path / "d" / "tiny.inter").read_bytes() == BODY
    assert said == ["Downloading tastes==1.0"]
    assert [path.name for path in (tmp_path / "d").iterdir()] == ["tiny.inter"]


def test_what_is_there_is_not_downloaded_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "tiny.inter").write_bytes(BODY)
    monkeypatch.setattr(subprocess, "run", no_pip)
    said: list[str] = []
    fetch(tmp_path, said.append, (SOURCE,))
    assert said == []


def test_a_damaged_file_is_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "tiny.inter").write_bytes(BODY[:-5])
    monkeypatch.setattr(subprocess, "run", pip(BODY))
    fetch(tmp_path, lambda _: None, (SOURCE,))
    assert (tmp_path / "tiny.inter").read_bytes() == BODY


def test_unexpected_content_is_rejected(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subprocess, "run", pip(b"something else"))
    with pytest.raises(DatasetError, match=r"tiny.inter in tastes==1.0 has SHA-256"):
        fetch(tmp_path, lambda _: None, (SOURCE,))
    assert list(tmp_path.iterdir()) == []


def test_without_a_network_one_line_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subprocess, "run", pip(b"", 1, "WARNING: retrying\nERROR: No matching distribution"))
    with pytest.raises(DatasetError) as caught:
        fetch(tmp_path, lambda _: None, (SOURCE,))
    assert str(caught.value) == (
        "cannot download tastes==1.0, which contains the sample data: ERROR: No matching distribution. "
        "Check the network and pip's index, then run the command again."
    )
