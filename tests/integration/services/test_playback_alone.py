"""The playback service as a process while every engine is away."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from domain.clock import system_clock
from domain.media.copy import CopyFile
from domain.processes import BY_NAME
from infra.local.workers import environment
from infra.runtime import token_keys
from infra.runtime.settings import PORT_BASES, Settings
from tests.support.assets import trailer
from tests.support.identity import member_headers
from tests.support.pipeline import eventually


@pytest.fixture
def alone(tmp_path: Path) -> Iterator[Settings]:
    """Of a stack in which only playback runs, with the file that it left when it ran last."""
    outer = Settings()
    base = (outer.port_base or PORT_BASES[outer.stack]) + 450
    settings = Settings(stack=f"{outer.stack}-alone", home=tmp_path, port_base=base)
    token_keys.ensure(settings)
    file = settings.folder / "playback" / "assets.json"
    file.parent.mkdir(parents=True)
    file.write_bytes(CopyFile("a-topic-id", {0: 1}, system_clock(), [trailer()]).encoded())
    command = [sys.executable, *BY_NAME["playback"].command]
    with subprocess.Popen(command, env=os.environ | environment(settings)) as process:
        yield settings
        process.terminate()


def ready(settings: Settings) -> bool:
    try:
        return httpx.get(f"{settings.playback_url}/readyz").is_success
    except httpx.TransportError:
        return False


def test_plays_start_uncounted_while_kafka_cassandra_and_all_others_are_away(alone: Settings) -> None:
    eventually(lambda: ready(alone))
    token = member_headers(alone, "me")
    for _ in range(3):
        answer = httpx.post(f"{alone.playback_url}/v1/playback", json={"title_id": "ml-50"}, headers=token, timeout=60)
        assert answer.status_code == 200
        play = answer.json()
        assert (play["slot"], play["resume"]) == ("uncounted", {"bookmark_ms": 0, "known": False})
    assert httpx.get(play["hls_url"]).is_success
    state = f"{alone.playback_url}/v1/playback/{play['playback_session_id']}/state"
    by_token = {"Authorization": f"Bearer {play['report_token']}"}
    assert httpx.post(state, json={"state": "playing"}, headers=by_token).json()["slot"] == "uncounted"
