"""A file is uploaded, a real browser plays it over the edge, and the play is in the history a moment later."""

import asyncio
import json
import re
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, sync_playwright

from domain.quality.figures import Figures
from infra.engines.cassandra import close, connect
from infra.engines.s3 import ObjectStore
from infra.runtime.settings import ROOT, Settings
from infra.stores.quality_cassandra import QualityMinutes
from infra.video.programs import FFMPEG
from tests.pages.browser import launched
from tests.pages.dash import playing
from tests.pages.watch_visit import left, played_to, reported, until, visit
from tests.support.identity import member_headers
from tests.support.pipeline import PATIENCE_S, Pipeline, eventually, get, playhead

FILM_S = 8
VIEWER = "first-light"
WEB_VERSION = json.loads((ROOT / "clients/package.json").read_text())["version"]
TOKEN = re.compile(rb"[\w-]{60,}\.[\w-]{43}(?![\w-])")
"""A path token: its claims have a version and a session."""


@pytest.fixture(scope="module")
def uploaded(pipeline: Pipeline, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The address at which the uploaded film can be watched."""
    film = tmp_path_factory.mktemp("film") / "film.mp4"
    picture = ("-f", "lavfi", "-i", f"testsrc2=size=640x360:rate=24:duration={FILM_S}")
    sound = ("-f", "lavfi", "-i", f"sine=440:duration={FILM_S}")
    subprocess.run([FFMPEG, "-v", "error", *picture, *sound, "-preset", "ultrafast", film], check=True)
    done = playhead("upload", str(film), "--title", "ml-50", "--credit", "© Nobody")
    assert done.returncode == 0, done.stderr
    address = f"{pipeline.settings.playback_url}/watch/ml-50"
    eventually(lambda: get(address, member_headers(pipeline.settings, VIEWER)).status_code == 200)
    return address


@pytest.fixture(scope="module")
def plays() -> list[list[dict[str, Any]]]:
    """The pages' own logs of all plays of this file."""
    return []


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright, launched(playwright) as found:
        yield found


def test_a_play_is_in_the_history_as_the_page_reported_it_and_goes_on_elsewhere(
    pipeline: Pipeline, browser: Browser, uploaded: str, plays: list[list[dict[str, Any]]]
) -> None:
    first = visit(browser, uploaded, VIEWER, pipeline.settings)
    first.click("#start")
    played_to(first, 1)
    first.keyboard.press(" ")
    until(first, "video.paused")
    first.keyboard.press(" ")
    played_to(first, 2)
    first.evaluate("video.currentTime = 4.5")
    played_to(first, 5)
    log = left(first)
    session = session_in_history(pipeline, log)
    assert log[-1]["event_type"] == "stopped"
    assert session["bookmark_ms"] == log[-1]["playhead_ms"]

    second = visit(browser, uploaded, VIEWER, pipeline.settings)
    eventually(lambda: resume_point(pipeline) == log[-1]["playhead_ms"])
    second.reload()
    assert second.locator("#start").inner_text() == "Resume"
    second.click("#start")
    until(second, "video.ended")
    again = left(second)
    plays += [log, again]
    assert again[0]["playhead_ms"] == log[-1]["playhead_ms"]
    assert session_in_history(pipeline, again)["last_event"] == "ended"
    assert resume_point(pipeline) == 0, "it was seen to its end"


def test_a_device_that_was_offline_sends_its_play_later_and_the_newer_play_decides_where_to_resume(
    pipeline: Pipeline, browser: Browser, uploaded: str, plays: list[list[dict[str, Any]]]
) -> None:
    viewer = "two-devices"
    offline = visit(browser, uploaded, viewer, pipeline.settings)
    offline.click("#start")
    until(offline, f"video.buffered.length && video.buffered.end(0) > {FILM_S - 1}")
    offline.context.set_offline(True)
    played_to(offline, 1)
    offline.close()

    online = visit(browser, uploaded, viewer, pipeline.settings)
    online.click("#start")
    played_to(online, 3)
    newer = left(online)
    session_in_history(pipeline, newer)

    offline.context.set_offline(False)
    back = offline.context.new_page()
    back.goto(f"{uploaded}?profile={viewer}")
    older = reported(back)
    assert session_in_history(pipeline, older)["last_event"] == "stopped"
    assert older[-1]["client_time"] < newer[0]["client_time"]
    assert resume_point(pipeline, viewer) == newer[-1]["playhead_ms"]
    plays += [older, newer]


def test_what_the_edge_has_plays_on_a_slow_network_while_the_object_store_is_away(
    pipeline: Pipeline, browser: Browser, uploaded: str, plays: list[list[dict[str, Any]]]
) -> None:
    first = visit(browser, uploaded, "before", pipeline.settings)
    first.click("#start")
    until(first, "video.ended")
    plays.append(left(first))
    second = visit(browser, uploaded, "after", pipeline.settings)
    throttle = second.context.new_cdp_session(second)
    second.click("#start")
    played_to(second, 0.5)
    pipeline.stack.stop("seaweedfs")
    try:
        slow = {"offline": False, "latency": 50, "downloadThroughput": 250_000, "uploadThroughput": 250_000}
        throttle.send("Network.emulateNetworkConditions", slow)
        until(second, "video.ended")
        assert second.locator("#problem").is_hidden()
        log = left(second)
        plays.append(log)
    finally:
        pipeline.stack.start("seaweedfs")
    assert session_in_history(pipeline, log)["last_event"] == "ended"


def test_another_player_plays_the_dash_manifest_over_the_edge(
    pipeline: Pipeline, browser: Browser, uploaded: str
) -> None:
    address, token = f"{pipeline.settings.playback_url}/v1/playback", member_headers(pipeline.settings, "dash")
    play = httpx.post(address, json={"title_id": "ml-50"}, headers=token, timeout=PATIENCE_S).json()
    page = playing(browser, play["dash_url"], f"{pipeline.settings.history_url}/livez")
    played_to(page, 3)
    page.evaluate("video.currentTime = 6")
    until(page, "video.ended")
    assert page.evaluate("problems") == []
    assert page.evaluate("player.getVariantTracks().map((track) => track.height).sort()") == [180, 240, 360]
    assert round(page.evaluate("player.seekRange().end")) == FILM_S
    assert page.evaluate("player.getStats().gapsJumped") == 0
    page.close()


def test_the_figures_of_the_minutes_are_those_of_the_pages_logs(
    pipeline: Pipeline, uploaded: str, plays: list[list[dict[str, Any]]]
) -> None:
    pipeline.drain()
    ends = [log[-1] for log in plays]
    found = figures_of_the_web_client(pipeline.settings)
    assert (found.views, found.starts, found.failures) == (len(plays), len(plays), 0)
    assert (found.playing_ms, found.startup_ms, found.rebuffers, found.rebuffer_ms) == tuple(
        sum(end[name] for end in ends) for name in ("watched_ms", "startup_time_ms", "rebuffer_count", "rebuffer_ms")
    )
    assert found.events_lost == 0


def test_the_ledger_balances_and_no_path_token_is_kept_anywhere(pipeline: Pipeline, uploaded: str) -> None:
    pipeline.drain()
    ledger = playhead("ledger")
    assert ledger.returncode == 0, ledger.stdout + ledger.stderr
    logs: list[Path] = list((pipeline.settings.folder / "logs").glob("*.log"))
    assert [log.name for log in logs if log.name == "edge.log"]
    assert [log.name for log in logs if TOKEN.search(log.read_bytes())] == []
    assert [place for place, value in pipeline.kafka().items() if TOKEN.search(value or b"")] == []
    store = ObjectStore(pipeline.settings)
    assert [key for key in store.list("") if TOKEN.search(store.get(key))] == []


def session_in_history(pipeline: Pipeline, log: list[dict[str, Any]]) -> dict[str, Any]:
    """The session of a page's log, once the history has its last event: equal to what the page reported."""
    last = log[-1]
    address = f"{pipeline.settings.history_url}/v1/profiles/{last['profile_id']}/viewing-history"
    token = member_headers(pipeline.settings, last["profile_id"])

    def items() -> dict[str, dict[str, Any]]:
        return {item["playback_session_id"]: item for item in get(address, token).json()["items"]}

    eventually(lambda: items().get(last["playback_session_id"], {}).get("last_event") == last["event_type"])
    item = items()[last["playback_session_id"]]
    quality = item["quality"]
    found = (item["bookmark_ms"], item["watched_ms"], quality["rebuffer_count"], quality["rebuffer_ms"])
    assert found == tuple(last[name] for name in ("playhead_ms", "watched_ms", "rebuffer_count", "rebuffer_ms"))
    assert (quality["startup_time_ms"], item["device"]["id"]) == (last["startup_time_ms"], last["device_id"])
    return item


def resume_point(pipeline: Pipeline, viewer: str = VIEWER) -> int:
    address = f"{pipeline.settings.history_url}/v1/profiles/{viewer}/resume-point?title_id=ml-50"
    return int(get(address, member_headers(pipeline.settings, viewer)).json()["bookmark_ms"])


def figures_of_the_web_client(settings: Settings) -> Figures:
    """All minutes of this hour and the one before it, added up."""
    now = int(time.time()) // 60
    session, found = connect(settings), Figures()
    try:
        with ThreadPoolExecutor(1) as pool:  # the browser's own event loop runs in this thread
            minutes = pool.submit(asyncio.run, QualityMinutes(session).minutes("device", now - 60, now + 1)).result()
    finally:
        close(session)
    for one in minutes:
        if one.label[1:] == ("desktop", WEB_VERSION):
            found.add(one.figures)
    return found
