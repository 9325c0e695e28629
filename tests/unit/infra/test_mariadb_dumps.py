"""What a program sends that may hang."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from typing import IO

import pytest

from infra import mariadb_dumps
from infra.mariadb_dumps import copy


@contextmanager
def output(script: str) -> Iterator[IO[bytes]]:
    with subprocess.Popen(["/bin/sh", "-c", script], stdout=subprocess.PIPE) as program:
        assert program.stdout
        yield program.stdout
        program.kill()


def test_a_copy_ends_with_its_source() -> None:
    target = BytesIO()
    with output("echo all; echo of it") as source:
        assert copy(source, target)
    assert target.getvalue() == b"all\nof it\n"


def test_a_copy_ends_when_its_source_falls_silent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mariadb_dumps, "SILENT_S", 0.5)
    with output("echo a part; exec sleep 600") as source:
        assert not copy(source, BytesIO())
