"""The recommend job as a person runs it: the lake in a real object store, the lists in a real Cassandra."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from infra.clients.cassandra import close, connect
from infra.clients.object_store import ObjectStore
from infra.clients.recommendations import Recommendations
from infra.settings import ROOT, Settings
from schemas.avro import schema
from schemas.codec import encode
from schemas.events import Playback
from schemas.recommendations import RecommendationList
from streams.lake import container
from tests.builders import playback

TWO_DAYS_AGO = int((datetime.now(UTC) - timedelta(days=2)).timestamp() * 1000)
Command = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def settings(stack: Settings) -> Settings:
    """A lake of this test alone."""
    return stack.model_copy(update={"lake_bucket": f"lake-{uuid4().hex[:12]}"})


@pytest.fixture
def lake(settings: Settings) -> ObjectStore:
    store = ObjectStore(settings)
    store.ensure_bucket()
    return store


@pytest.fixture
def command(settings: Settings) -> Command:
    environment = os.environ | {"PLAYHEAD_LAKE_BUCKET": settings.lake_bucket, "PYTHONPATH": str(ROOT)}

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        program = [sys.executable, "-m", "batch.main", "recommend", *arguments]
        return subprocess.run(program, env=environment, capture_output=True, text=True, check=False)

    return run


def session(number: int, profile_id: str, title_id: str, watched_ms: int = 300_000) -> Playback:
    return playback(
        event_id=f"018bcfe5-6800-7000-8000-{number:012d}",
        playback_session_id=f"018bcfe5-6800-7000-9000-{number:012d}",
        **dict.fromkeys(("client_time", "sent_at", "received_at", "event_time", "session_started_at"), TWO_DAYS_AGO),
        event_type="stopped",
        profile_id=profile_id,
        title_id=title_id,
        watched_ms=watched_ms,
    )


def put(lake: ObjectStore, *events: Playback) -> None:
    key = f"raw/playhead.playback/TopicIdOfThisTest00000/partition=0/{0:020d}.avro"
    lake.put(key, container.write(key, schema("playback"), [encode(event) for event in events], {}))


def rows(run: subprocess.CompletedProcess[str]) -> dict[str, int]:
    """Of each stage."""
    lines = [json.loads(line) for line in (run.stdout + run.stderr).splitlines() if line.startswith("{")]
    return {line["event"]: line["rows"] for line in lines if "rows" in line}


def stored(settings: Settings, *profiles: str) -> list[RecommendationList | None]:
    connection = connect(settings)
    store = Recommendations(connection)

    async def read() -> list[RecommendationList | None]:
        return list(await asyncio.gather(*(store.recommended("profile", profile) for profile in profiles)))

    try:
        return asyncio.run(read())
    finally:
        close(connection)


def test_every_profile_of_the_lake_gets_a_list(lake: ObjectStore, command: Command, settings: Settings) -> None:
    """Films of 50 minutes, of which everybody saw five: a view. `shy` pressed play and left: a cold profile."""
    put(
        lake,
        *[session(n, f"recommend-{n}", "ml-1") for n in range(3)],
        *[session(n + 3, f"recommend-{n}", "ml-2") for n in range(2)],
        session(9, "recommend-shy", "ml-2", watched_ms=0),
    )
    titles = [{"title_id": f"ml-{n}", "name": f"Film {n}", "year": 1995, "runtime_ms": 3_000_000} for n in (1, 2)]
    lake.put("catalogue/titles.jsonl", "\n".join(map(json.dumps, titles)).encode())
    profiles = ("recommend-0", "recommend-2", "recommend-shy")

    dry = command("--dry-run")

    assert dry.returncode == 0, dry.stderr
    assert (rows(dry)["sessions"], rows(dry)["views"]) == (6, 5)
    assert stored(settings, *profiles) == [None, None, None]

    run = command()

    assert run.returncode == 0, run.stderr
    assert rows(run)["lists of profiles written"] == 4
    first, third, shy = stored(settings, *profiles)
    assert first is not None
    assert first.items == (), "has watched all there is"
    assert third is not None
    assert [(item.title_id, item.reason, item.about) for item in third.items] == [("ml-2", "because", "ml-1")]
    assert shy is not None
    assert [item.title_id for item in shy.items] == ["ml-1", "ml-2"]
