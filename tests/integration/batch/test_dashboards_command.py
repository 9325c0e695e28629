"""Jobs where there is nothing to read, nothing to show, or nothing to write."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from batch.main import app
from domain.lake.keys import Chain
from domain.lake.objects import pack
from infra.engines.s3 import ObjectStore
from schemas.avro import schema
from schemas.codec import encode
from schemas.events import Playback
from tests.integration.batch.conftest import Command
from tests.support.builders import playback

T0 = int((datetime.now(UTC) - timedelta(days=2)).timestamp() * 1000)
TABLES = ("--table", "playback", "--table", "ui", "--table", "playback_sessions")
DAY = datetime.fromtimestamp(T0 / 1000, UTC).date()
TIMES = ("client_time", "sent_at", "received_at", "event_time", "session_started_at")


def session(number: int, **changes: object) -> Playback:
    """The only event of the session of that number; by default five minutes that ended two days ago."""
    fields: dict[str, object] = {
        "event_id": f"018bcfe5-6800-7000-8000-{number:012d}",
        "playback_session_id": f"018bcfe5-6800-7000-9000-{number:012d}",
        **dict.fromkeys(TIMES, T0),
        "event_type": "stopped",
        "watched_ms": 300_000,
    }
    return playback(**(fields | changes))


def put(lake: ObjectStore, partition: int, *events: Playback) -> str:
    chain = Chain("playhead.playback", "TopicIdOfThisTest00000", partition)
    file = pack(chain, 0, schema("playback"), [encode(event) for event in events])
    lake.put_if_absent(file.key, file.body, file.metadata)
    return file.key


def test_dry_runs_write_nothing_and_a_missing_table_names_its_job(
    lake: ObjectStore, command: Command, tmp_path: Path
) -> None:
    put(lake, 0, session(1))
    page = tmp_path / f"{DAY}.html"
    page.write_text("yesterday's")

    run = command("tables", "--dry-run", "dashboards", "--out", str(tmp_path))

    assert run.reports["playback: rows to append"] == 1
    assert run.code == 3
    assert "`playhead job tables` makes it" in run.stderr
    assert "Traceback" not in run.stderr
    assert [(file, file.read_text()) for file in tmp_path.iterdir()] == [(page, "yesterday's")]


def test_a_lake_that_does_not_exist_is_one_line(command: Command) -> None:
    run = command("tables", "--table", "playback")

    assert run.code == 3
    assert "NoSuchBucket" in run.stderr
    assert "Traceback" not in run.stderr


def test_without_features_recommend_names_the_job_that_makes_them(command: Command) -> None:
    run = command("recommend", "--dry-run")

    assert run.code == 3
    assert "`playhead job features` makes it" in run.stderr


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("--date", "2026-02-30"), "there is no 2026-02-30 in the calendar"),
        (("--date", "24.11.2026"), "write it as 2026-11-24"),
        (("--date", "2026-02-03", "--to", "2026-02-04"), "--date"),
        (("--from", "2026-02-04", "--to", "2026-02-03"), "2026-02-04 is after 2026-02-03"),
    ],
)
def test_wrong_days_are_refused_before_anything_starts(arguments: tuple[str, ...], complaint: str) -> None:
    run = CliRunner().invoke(app, ["dashboards", *arguments])

    assert run.exit_code == 2
    assert complaint in run.stderr
