"""The jobs of a night as a person runs them, all in one command: what is in the lake is on pages and in lists."""

import asyncio
import json
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from batch.reports.report_folder import ReportFolder
from domain.recommendations.model import RecommendationList
from infra.engines.cassandra import close, connect
from infra.engines.s3 import ObjectStore
from infra.runtime.settings import Settings
from infra.stores.recommendations_cassandra import Recommendations
from tests.integration.batch import tables
from tests.integration.batch.conftest import Ran, made, own, run_by_spark_submit, run_in_process
from tests.integration.batch.test_dashboards_command import DAY, T0, TABLES, TIMES, put, session

EARLIER = dict.fromkeys(TIMES, T0 - 3 * 24 * 60 * 60 * 1000)
"""Not on the pages."""


@dataclass(frozen=True)
class Night:
    settings: Settings
    pages: Path
    run: Ran


@pytest.fixture(scope="module")
def night(stack: Settings, spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Night:
    """On the day shown two members play, and one view fails; on the day before nothing happens. Some days earlier films
    of 50 minutes, of which everybody sees five: a view. `shy` pressed play and left: a cold profile."""
    settings, pages = own(stack), tmp_path_factory.mktemp("night") / "dashboards"
    lake = made(settings)
    failed = session(3, title_id="ml-1", watched_ms=60_000, event_type="error", error_code="E", error_fatal=True)
    put(lake, 0, session(1), session(1), session(2, profile_id="ml-2"))
    put(
        lake,
        1,
        failed,
        *[session(n + 10, profile_id=f"night-{n}", title_id="ml-1", **EARLIER) for n in range(3)],
        *[session(n + 20, profile_id=f"night-{n}", title_id="ml-2", **EARLIER) for n in range(2)],
        session(30, profile_id="night-shy", title_id="ml-2", watched_ms=0, **EARLIER),
    )
    films = [("ml-1", "Toy Story"), ("ml-2", "GoldenEye")]
    titles = [
        {"title_id": title, "name": name, "year": 1995, "runtime_ms": 3_000_000, "genres": []} for title, name in films
    ]
    lake.put("catalogue/titles.jsonl", "\n".join(map(json.dumps, titles)).encode())
    days = ("--from", str(DAY - timedelta(days=1)), "--to", str(DAY))
    jobs = ("tables", *TABLES, "--table", "titles", "features", "recommend", "dashboards", *days, "--out", str(pages))
    return Night(settings, pages, run_in_process(settings, spark, *jobs))


def test_the_page_of_a_day_shows_what_is_in_the_lake(night: Night) -> None:
    assert night.run.code == 0, night.run.stderr
    found = ReportFolder(night.pages).days()
    assert list(found) == [DAY], "a day without events has no page"
    assert f"dashboards · warning: no events, so no page: {DAY - timedelta(days=1)}" in night.run.stdout.splitlines()
    shown = found[DAY]
    assert [shown[name] for name in ("views", "starts", "members", "peak")] == [3, 3, 2, 3]
    assert shown["hours"] == pytest.approx(11 / 60)
    assert shown["failure_rate"] == pytest.approx(1 / 3)
    page = (night.pages / f"{DAY}.html").read_text()
    assert "Toy Story (1995)" in page
    assert "Not in the catalogue, so shown by id: 1 played title (2 views)." in page
    assert sorted(file.name for file in night.pages.iterdir()) == [f"{each}.html" for each in found] + ["index.html"]


def test_every_profile_of_the_tables_gets_a_list(night: Night) -> None:
    expected = {"lists: profiles": 6, "lists: views": 5, "Cassandra: lists of profiles written": 6}
    assert expected.items() <= night.run.reports.items()
    features = tables.rows(night.settings, "profile_features").filter(profile_id="night-0")
    assert (
        features.select("plays_7d", "watched_titles", "newest_titles").to_dicts()
        == [{"plays_7d": 2, "watched_titles": 2, "newest_titles": ["ml-2", "ml-1"]}] * 2
    ), "of this midnight and the next"
    first, third, shy = stored(night.settings, "night-0", "night-2", "night-shy")
    assert first is not None
    assert first.items == (), "has watched all there is"
    assert third is not None
    assert [(item.title_id, item.reason, item.about) for item in third.items] == [("ml-2", "because", "ml-1")]
    assert shy is not None
    assert [item.title_id for item in shy.items] == ["ml-1", "ml-2"]


def stored(settings: Settings, *profiles: str) -> list[RecommendationList | None]:
    connection = connect(settings)
    store = Recommendations(connection)

    async def read() -> list[RecommendationList | None]:
        return list(await asyncio.gather(*(store.recommended("profile", profile) for profile in profiles)))

    try:
        return asyncio.run(read())
    finally:
        close(connection)


def test_a_person_reads_a_line_for_each_result_and_no_json(night: Night) -> None:
    lines = night.run.stdout.splitlines()
    steps = {line.split(":")[0] for line in lines if line.startswith("tables · ")}
    assert steps == {f"tables · {name}" for name in ("titles", "playback", "ui", "playback_sessions")}
    assert any(line.startswith(f"dashboards · {DAY}: 3 starts (") for line in lines)
    assert f"dashboards · pages written: {night.pages / 'index.html'}" in lines
    assert "{" not in night.run.stdout
    assert night.run.stderr == ""


def test_spark_submit_takes_the_same_arguments_and_replaces_the_page(night: Night, tmp_path: Path) -> None:
    pages = ReportFolder(tmp_path)
    pages.put(DAY, '<script type="application/json" id="summary">{"starts": 0}</script>')

    run = run_by_spark_submit(night.settings, "dashboards", "--date", str(DAY), "--out", str(tmp_path))

    assert run.code == 0, run.stdout
    assert pages.days()[DAY]["starts"] == 3
    assert run.reports[f"{DAY}: starts"] == 3


def test_the_night_makes_the_page_of_a_day_again_to_which_late_events_came(night: Night, spark: SparkSession) -> None:
    run = run_in_process(night.settings, spark, "tables", *TABLES, "dashboards", "--out", str(night.pages))
    assert run.code == 0, run.stderr
    assert "late events" not in run.stdout

    put(ObjectStore(night.settings), 2, session(4, profile_id="night-offline"))
    run = run_in_process(night.settings, spark, "tables", *TABLES, "dashboards", "--out", str(night.pages))
    assert run.code == 0, run.stderr
    assert f"dashboards · late events: {DAY} made again" in run.stdout.splitlines()
    assert ReportFolder(night.pages).days()[DAY]["views"] == 4
