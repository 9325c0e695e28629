"""The dashboards as a person makes them: what is in the lake is on the pages."""

import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

import pytest

from batch.dashboards.published import Published
from batch.lake import LakeError
from batch.raw import new_objects
from infra.clients.object_store import ObjectStore
from infra.local import packages
from infra.settings import ROOT, Settings
from schemas.avro import schema
from schemas.codec import encode
from schemas.events import Playback
from streams.lake import container
from tests.builders import playback
from tests.integration.batch.conftest import Command, stages

T0 = int((datetime.now(UTC) - timedelta(days=2)).timestamp() * 1000)
TABLES = ("--table", "playback", "--table", "ui", "--table", "playback_sessions")
DAY = datetime.fromtimestamp(T0 / 1000, UTC).date()


def session(number: int, **changes: object) -> Playback:
    """The only event of the session of that number; by default five minutes that ended two days ago."""
    fields: dict[str, object] = {
        "event_id": f"018bcfe5-6800-7000-8000-{number:012d}",
        "playback_session_id": f"018bcfe5-6800-7000-9000-{number:012d}",
        **dict.fromkeys(("client_time", "sent_at", "received_at", "event_time", "session_started_at"), T0),
        "event_type": "stopped",
        "watched_ms": 300_000,
    }
    return playback(**(fields | changes))


def put(lake: ObjectStore, partition: int, *events: Playback) -> str:
    key = f"raw/playhead.playback/TopicIdOfThisTest00000/partition={partition}/{0:020d}.avro"
    body = container.write(key, schema("playback"), [encode(event) for event in events], {})
    said = {"end": str(len(events)), "records": str(len(events)), "dead_letters": "0", "kind": "data"}
    lake.put_if_absent(key, body, said | {"schema-id": "1", "sha256": sha256(body).hexdigest()})
    return key


def test_the_page_of_a_day_shows_what_is_in_the_lake(lake: ObjectStore, command: Command, tmp_path: Path) -> None:
    """Two members play; one view fails; a third day is asked for on which nobody did."""
    failed = session(3, title_id="ml-1", watched_ms=60_000, event_type="error", error_code="E", error_fatal=True)
    put(lake, 0, session(1), session(1), session(2, profile_id="ml-2"))
    put(lake, 1, failed)
    lake.put("catalogue/titles.jsonl", json.dumps({"title_id": "ml-1", "name": "Toy Story", "year": 1995}).encode())
    pages = tmp_path / "dashboards"
    days = ("--from", str(DAY - timedelta(days=1)), "--to", str(DAY))

    run = command("tables", *TABLES, "--table", "titles", "dashboards", *days, "--out", str(pages))

    assert run.returncode == 0, run.stderr
    found = Published(pages).days()
    assert list(found) == [DAY - timedelta(days=1), DAY]
    shown = found[DAY]
    assert [shown[name] for name in ("views", "starts", "members", "peak")] == [3, 3, 2, 3]
    assert shown["hours"] == pytest.approx(11 / 60)
    assert shown["failure_rate"] == pytest.approx(1 / 3)
    assert found[DAY - timedelta(days=1)]["views"] == 0
    page = (pages / f"{DAY}.html").read_text()
    assert "Toy Story (1995)" in page
    assert "1 played title of this day (2 views) the catalogue does not know" in page
    assert "Nobody pressed play on this day." in (pages / f"{DAY - timedelta(days=1)}.html").read_text()
    assert sorted(file.name for file in pages.iterdir()) == [f"{each}.html" for each in found] + ["index.html"]


def test_spark_submit_takes_the_same_arguments_and_replaces_the_page(
    lake: ObjectStore, command: Command, settings: Settings, tmp_path: Path
) -> None:
    put(lake, 0, session(1))
    jars = ",".join(str(jar) for jar in packages.folder(settings.home, "spark").glob("*.jar"))
    submit = ("spark-submit", "--master", "local[1]", "--jars", jars)
    program = (*submit, str(ROOT / "batch" / "main.py"))
    pages = Published(tmp_path)
    pages.put(DAY, '<script type="application/json" id="summary">{"starts": 0}</script>')

    run = command("tables", *TABLES, "dashboards", "--date", str(DAY), "--out", str(tmp_path), program=program)

    assert run.returncode == 0, run.stderr
    assert pages.days()[DAY]["starts"] == 1
    assert stages(run)[f"{DAY}: starts"] == 1


def test_dry_runs_write_nothing_and_without_tables_it_is_said_what_makes_them(
    lake: ObjectStore, command: Command, tmp_path: Path
) -> None:
    put(lake, 0, session(1))
    page = tmp_path / f"{DAY}.html"
    page.write_text("yesterday's")

    run = command("tables", "--dry-run", "dashboards", "--out", str(tmp_path))

    assert stages(run)["playback: rows to append"] == 1
    assert run.returncode == 3
    assert "`playhead job tables` makes it" in run.stderr
    assert "Traceback" not in run.stderr
    assert [(file, file.read_text()) for file in tmp_path.iterdir()] == [(page, "yesterday's")]


def test_a_lake_that_does_not_exist_is_an_error(settings: Settings) -> None:
    with pytest.raises(LakeError, match="NoSuchBucket"):
        new_objects(ObjectStore(settings), "playhead.playback", {})


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("--date", "2026-02-30"), "2026-02-30"),
        (("--date", "2026-02-03", "--to", "2026-02-04"), "--date"),
        (("--from", "2026-02-04", "--to", "2026-02-03"), "2026-02-04 is after 2026-02-03"),
    ],
)
def test_wrong_days_are_refused_before_anything_starts(arguments: tuple[str, ...], complaint: str) -> None:
    run = subprocess.run(
        [sys.executable, "-m", "batch.main", "dashboards", *arguments], capture_output=True, text=True, check=False
    )

    assert run.returncode == 2
    assert complaint in run.stderr
