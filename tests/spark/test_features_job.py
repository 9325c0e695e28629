"""The features job on Iceberg tables: each midnight is published once, and nothing that comes later changes it."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial, reduce
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from batch.features.definitions import FEATURES, PAIR_FEATURES
from batch.features.features_job import FeaturesJob, newest_as_of
from batch.tables.derived_tables import update_sessions
from batch.tables.iceberg_catalog import LAKE
from batch.tables.ingest import IngestContext
from batch.tables.table import Table, ensure_namespace
from batch.tables.table_schemas import EVENTS, SESSIONS, TITLES
from tests.spark.feature_tables import film, play, show
from tests.spark.frames import at, made, received, rows
from tests.support.fakes import FakeObjectStore
from tests.support.soak import repeat

MIDNIGHTS = (date(2023, 11, 13), date(2023, 11, 14), date(2023, 11, 15))
PLAYS = (
    play("a", "x", "2023-08-17 00:00", 100),
    play("a", "y", "2023-11-10 20:00", 50),
    play("b", "x", "2023-10-20 20:00", 25, country="DE"),
    play("b", "x", "2023-11-12 21:00", 25, country="DE"),
    play("c", "y", "2023-11-13 20:00", 3, device_type="phone"),
    play("c", "x", "2023-11-14 23:50", 5, playback_session_id="across", seq=1),
    play("c", "x", "2023-11-15 00:30", 45, playback_session_id="across", seq=2),
    play("a", "z", "2023-11-12 20:00", 60, received_at="2023-11-16 09:00"),  # was offline
)
SHOWS = (
    show("a", "z", "2023-11-10 19:00"),
    show("a", "z", "2023-11-13 19:01", "click"),
    show("a", "z", "2023-11-12 19:00", received_at="2023-11-15 00:00"),
)
Rows = Mapping[date, Counter[str]]


@dataclass(frozen=True)
class Service:
    """Its own tables, and the jobs that fill them."""

    spark: SparkSession
    namespace: str

    def receive(self, plays: Sequence[dict[str, Any]], shows: Sequence[dict[str, Any]]) -> None:
        """More rows in the tables of events, and in that of sessions what the job makes of them."""
        for family, changes in (("playback", plays), ("ui", shows)):
            if changes:
                self.append(self.table(family), received(self.spark, family, *changes))
        context = IngestContext(self.spark, FakeObjectStore(), "", self.namespace, dry_run=False)
        update_sessions(context, lambda *_: None)

    def append(self, table: Table, rows_df: DataFrame) -> None:
        table.ensure()
        table.selected(rows_df).writeTo(table.name).append()

    def publish(self, *, dry_run: bool = False) -> dict[str, int]:
        reports: dict[str, int] = {}

        def hear(name: str, stage: str, count: int) -> None:
            reports[f"{name}: {stage}"] = count

        with FeaturesJob(self.spark, self.namespace, MIDNIGHTS, dry_run) as job:
            for name, step in job.steps().items():
                step(partial(hear, name))
        return reports

    def published(self) -> Rows:
        """Midnight -> every row of the three tables."""
        texts = [
            Table(self.spark, self.namespace, each).rows().select("as_of", F.to_json(F.struct("*")).alias("text"))
            for each in FEATURES
        ]
        found: dict[date, Counter[str]] = {midnight: Counter() for midnight in MIDNIGHTS}
        for midnight, text in reduce(DataFrame.unionByName, texts).collect():
            found[midnight][text] += 1
        return found

    def inputs(self) -> dict[str, int]:
        """Each table that the job reads -> its current snapshot."""
        tables = [self.table(name) for name in ("playback", "ui", SESSIONS.name)]
        return {table.name: table.history()[0].id for table in tables}

    def back_to(self, inputs: Mapping[str, int]) -> None:
        for name, snapshot in inputs.items():
            self.spark.sql(f"CALL {LAKE}.system.rollback_to_snapshot('{name}', {snapshot})")

    def table(self, name: str) -> Table:
        return Table(self.spark, self.namespace, {**EVENTS, SESSIONS.name: SESSIONS}[name])


@pytest.fixture(scope="module")
def service(spark: SparkSession) -> Service:
    found = Service(spark, f"test_{uuid4().hex[:8]}")
    ensure_namespace(spark, found.namespace)
    titles = [film("x", 2000, "Drama"), film("y", 1980, "Comedy", "Drama")]
    found.append(Table(spark, found.namespace, TITLES), made(spark, TITLES.types, titles))
    found.receive(PLAYS, SHOWS)
    return found


def test_each_midnight_is_published_once_and_a_second_run_changes_nothing(service: Service) -> None:
    pairs = Table(service.spark, service.namespace, PAIR_FEATURES)

    dry = service.publish(dry_run=True)
    assert dry["pair_features: rows to publish"] == 15
    assert newest_as_of(service.spark, service.namespace) is None
    first = service.publish()
    history = pairs.history()
    second = service.publish()

    assert first["pair_features: rows of the midnights made"] == 15
    assert second == dict.fromkeys((f"{each.name}: rows changed" for each in FEATURES), 0)
    assert pairs.history() == history
    assert newest_as_of(service.spark, service.namespace) == MIDNIGHTS[-1]
    assert rows(pairs.rows().where("title_id = 'x'"), "as_of", "profile_id", "watched_share") == [
        (MIDNIGHTS[0], "a", 1.0),
        (MIDNIGHTS[0], "b", 0.5),
        (MIDNIGHTS[1], "a", 1.0),
        (MIDNIGHTS[1], "b", 0.5),
        (MIDNIGHTS[2], "a", 1.0),
        (MIDNIGHTS[2], "b", 0.5),
        (MIDNIGHTS[2], "c", 0.05),
    ]


@st.composite
def what_came_later(draw: st.DrawFn, cut: date) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Plays and shows that happened after a midnight or, if before it, were received after it.

    Two of every session that there is, and of a new one.
    """

    def times() -> dict[str, str]:
        received_at = at(f"{cut} 00:00") + timedelta(hours=draw(st.integers(0, 400)))
        happened = received_at - timedelta(hours=draw(st.integers(0, 800)))
        return {"received_at": f"{received_at:%Y-%m-%d %H:%M}", "event_time": f"{happened:%Y-%m-%d %H:%M}"}

    new = play("new", "x", "", 0)
    whose = [{name: each[name] for name in ("profile_id", "title_id", "playback_session_id")} for each in (*PLAYS, new)]
    plays = [
        play("", "", "", draw(st.integers(0, 100)), event_id=f"later-{number}", seq=draw(st.integers(0, 5)))
        | session
        | times()
        for number, session in enumerate((*whose, *whose))
    ]
    shows = [show("a", "z", "", draw(st.sampled_from(("impression", "click")))) | times()]
    return plays, shows


@pytest.fixture(scope="module")
def before(service: Service) -> tuple[Mapping[str, int], Rows]:
    """The snapshots of the input tables and of the published ones."""
    service.publish()
    return service.inputs(), service.published()


@pytest.mark.soak
@given(data=st.data())
@settings(
    max_examples=repeat(1, soak=10), phases=(Phase.generate,)
)  # to shrink would be to run the job a hundred times
def test_what_comes_later_changes_no_published_row_of_an_earlier_midnight(
    service: Service, before: tuple[Mapping[str, int], Rows], data: st.DataObject
) -> None:
    """Also where it is of a session that was known then, or has a lower or the same sequence number."""
    inputs, unchanged = before
    cut = data.draw(st.sampled_from(MIDNIGHTS))
    service.back_to(inputs)

    service.receive(*data.draw(what_came_later(cut)))
    reports = service.publish()

    assert reports["pair_features: rows of the midnights made"], "has run"
    changed = service.published()
    for midnight in MIDNIGHTS[: MIDNIGHTS.index(cut) + 1]:
        assert changed[midnight] == unchanged[midnight]
