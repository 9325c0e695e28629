"""What a program sends or takes that may hang, and what a killed dump leaves."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import IO

import pytest

from infra import mariadb_dumps
from infra.mariadb_dumps import copy, feed, remove_left

PIPE = subprocess.PIPE
AT = datetime(2026, 11, 30, 3, 30, tzinfo=UTC)


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


@contextmanager
def program(script: str) -> Iterator["subprocess.Popen[bytes]"]:
    with subprocess.Popen(["/bin/sh", "-c", script], stdin=PIPE, stdout=PIPE, stderr=PIPE) as found:
        yield found


def test_a_program_is_fed_all_of_it() -> None:
    with program("wc -c >&2") as found:
        assert feed(found, [b"x" * 200_000, b"y"])
        assert found.stderr
        assert (found.returncode, found.stderr.read().strip()) == (0, b"200001")


@pytest.mark.parametrize("parts", [[b"x" * 200_000], [b"x"]], ids=["in the middle", "at the end"])
def test_a_program_that_takes_nothing_more_is_killed(parts: list[bytes], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mariadb_dumps, "SILENT_S", 0.5)
    with program("exec sleep 600") as found:
        assert not feed(found, parts)
        assert found.wait() == -9


def test_a_program_that_ends_early_says_why_itself() -> None:
    with program("echo refused >&2; exit 3") as found:
        assert feed(found, [b"x" * 200_000] * 10)
        assert found.stderr
        assert (found.returncode, found.stderr.read()) == (3, b"refused\n")


def test_parts_of_killed_dumps_are_removed_and_one_that_is_being_written_stays(tmp_path: Path) -> None:
    for name, minutes in (("left", 61), ("written", 59)):
        part = tmp_path / f"{name}.part"
        part.touch()
        at = (AT - timedelta(minutes=minutes)).timestamp()
        os.utime(part, (at, at))
    (tmp_path / "20260101T000000Z.sql.gz").touch()
    remove_left(tmp_path, AT)
    assert sorted(each.name for each in tmp_path.iterdir()) == ["20260101T000000Z.sql.gz", "written.part"]
