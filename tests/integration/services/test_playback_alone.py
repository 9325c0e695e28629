"""The playback service as a process while every engine is away."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from msgspec.structs import replace

from domain.clock import system_clock
from domain.copy_file import CopyFile
from domain.identity.tokens import Profile
from domain.processes import BY_NAME
from infra.local.workers import environment
from infra.runtime import token_keys
from infra.runtime.settings import PORT_BASES, Settings
from schemas.events import RevocationRecord
from tests.support.assets import trailer
from tests.support.identity import headers, member, member_headers
from tests.support.pipeline import eventually

SIGNED_OUT = RevocationRecord(
    event_id="e",
    received_at=system_clock(),
    account_id="account-stolen",
    seq=1,
    device_id="device-1",
    not_before=system_clock() + 3_600_000,
    reason="device_removed",
)


@pytest.fixture
def alone(tmp_path: Path) -> Iterator[Settings]:
    """Of a stack in which only playback runs, with the files that it left when it ran last."""
    outer = Settings()
    base = (outer.port_base or PORT_BASES[outer.stack]) + 450
    settings = Settings(stack=f"{outer.stack}-alone", home=tmp_path, port_base=base)
    token_keys.ensure(settings)
    known: dict[str, list[Any]] = {"assets": [trailer()], "revocations": [SIGNED_OUT], "entitlements": []}
    (settings.folder / "playback").mkdir(parents=True)
    for name, records in known.items():
        kept: CopyFile[Any] = CopyFile("a-topic-id", {0: 1}, system_clock(), records)
        (settings.folder / "playback" / f"{name}.json").write_bytes(kept.encoded())
    (settings.folder / "playback" / "titles.jsonl").write_text(
        '{"title_id":"ml-50","maturity":"all"}\n{"title_id":"ml-1","maturity":"16"}\n'
    )
    command = [sys.executable, *BY_NAME["playback"].command]
    with subprocess.Popen(command, env=os.environ | environment(settings)) as process:
        yield settings
        process.terminate()


def ready(settings: Settings) -> bool:
    try:
        return httpx.get(f"{settings.playback_url}/readyz").is_success
    except httpx.TransportError:
        return False


def test_plays_start_uncounted_and_who_was_signed_out_stays_out_while_all_others_are_away(alone: Settings) -> None:
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
    address, asked = f"{alone.playback_url}/v1/playback", {"title_id": "ml-50"}
    refused = httpx.post(address, json=asked, headers=member_headers(alone, "stolen"), timeout=60)
    assert (refused.status_code, refused.json()["code"]) == (401, "revoked_token")


def test_a_profile_with_a_limit_plays_by_the_ratings_that_were_read_last(alone: Settings) -> None:
    eventually(lambda: ready(alone))
    kid = headers(replace(member("kid"), profiles={"kid": Profile(maturity="7", kids=True)}), alone)
    address = f"{alone.playback_url}/v1/playback"
    assert httpx.post(address, json={"title_id": "ml-50"}, headers=kid, timeout=60).status_code == 200
    refused = httpx.post(address, json={"title_id": "ml-1"}, headers=kid, timeout=60)
    assert (refused.status_code, refused.json()["code"]) == (403, "not_for_profile")
