"""Files that nobody should trust: each is refused by name, asks nobody, takes little memory and leaves nothing."""

import os
import resource
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from domain.media.source import Refused
from infra.video import encode, inspect
from infra.video.ladders import prepare
from infra.video.sandbox import Finished, run
from infra.video.upload import opened
from tests.support.hostile import hostile_files

MEMORY = 512 * 2**20


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch) -> list[Finished]:
    """Every run in the sandbox of the test."""
    seen: list[Finished] = []

    def recorded(*arguments: object, **options: object) -> Finished:
        seen.append(run(*arguments, **options))  # type: ignore[arg-type]
        return seen[-1]

    monkeypatch.setattr(inspect, "run", recorded)
    monkeypatch.setattr(encode, "run", recorded)
    return seen


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        yield server


def test_hostile_files_are_refused_by_name(tmp_path: Path, runs: list[Finished], listener: socket.socket) -> None:
    made, home = tmp_path / "made", tmp_path / "home"
    made.mkdir()
    files = hostile_files(made, f"http://127.0.0.1:{listener.getsockname()[1]}/film.ts")
    assert len(files) >= 30
    wrong = {}
    for number, (name, (body, reasons)) in enumerate(files.items()):
        path = tmp_path / f"-i\n{number}"
        path.write_bytes(body)
        found = _refusal(home, path)
        if found is None or found.reason not in reasons:
            wrong[name] = str(found)
    assert list(wrong.items()) == []
    assert [path.name for path in (home / "media").iterdir()] == [".lock"]
    # Until it becomes another program, a child counts as large as this process, which may have run other tests.
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    assert max(finished.peak_bytes for finished in runs) <= max(MEMORY, own)
    with pytest.raises(BlockingIOError):  # nobody called
        listener.accept()


def _refusal(home: Path, path: Path) -> Refused | None:
    try:
        with opened(path) as file:
            prepare(home, path.name.removeprefix("-i\n").zfill(32), file, lambda _done, _of: None)
    except Refused as refused:
        return refused
    return None


def test_what_is_no_regular_file_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for name in ("missing.mp4", "pipe", ".", "nul\0byte"):
        with pytest.raises(Refused) as refused:
            opened(tmp_path / name)
        assert refused.value.reason == "not a file"
