"""The demo itself, small, on the test stack: there is no second wiring. Its real pages are looked at by a browser."""

import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright

from domain.processes import PROCESSES
from infra.drill import DRILLS, run
from infra.local import monitoring
from infra.local.stack import Stack
from tests.conftest import ENGINES
from tests.integration.batch import tables
from tests.pages.browser import OVERFLOW, launched, opened
from tests.support.identity import member_headers, support_headers
from tests.support.pipeline import PATIENCE_S, eventually, get, playhead

SMALL = ("--members", "30", "--days", "4", "--live-viewers", "15", "--live-seconds", "10")


@dataclass
class Demo:
    process: subprocess.Popen[str]
    printed: str
    stack: Stack


@pytest.fixture(scope="module")
def demo(empty_stack: Stack) -> Iterator[Demo]:
    """A demo that has arrived at its pages and waits for Ctrl-C."""
    engines_ran = bool(empty_stack.status())
    command = [sys.executable, "-m", "infra.cli", "demo", *SMALL]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        assert process.stdout
        printed = ""
        for line in process.stdout:
            printed += line
            if "Ctrl-C" in line:
                break
        yield Demo(process, printed, empty_stack)
        process.kill()
    empty_stack.wipe()
    if engines_ran:
        empty_stack.up(ENGINES)


def test_it_balances_the_ledger_and_names_its_pages(demo: Demo) -> None:
    assert "The ledger balances." in demo.printed, demo.printed
    settings = demo.stack.settings
    for address in (settings.ops_url, settings.collector_url, f"{settings.playback_url}/sign-in/"):
        assert address in demo.printed


def test_its_log_is_for_people(demo: Demo) -> None:
    assert [line for line in demo.printed.splitlines() if line.startswith("{")] == [], "JSON belongs in log files"


def test_its_members_have_a_history(demo: Demo) -> None:
    page = get(f"{demo.stack.settings.ops_url}/members")
    members = re.findall(r"/members/(ml-\d+)", page.text)
    assert members
    token = member_headers(demo.stack.settings, members[0])
    answer = get(f"{demo.stack.settings.history_url}/v1/profiles/{members[0]}/viewing-history", token).json()
    assert answer["items"][0]["title"]["name"]
    support = get(f"{demo.stack.settings.ops_url}/members/{members[0]}/support").text
    assert 'class="verdict' in support, "the quality worker feeds support"


def test_its_members_get_recommendations_with_reasons(demo: Demo) -> None:
    site = demo.stack.settings.ops_url
    member = re.findall(r"/members/(ml-\d+)", get(f"{site}/members").text)[0]
    token = support_headers(demo.stack.settings)
    answer = get(f"{demo.stack.settings.history_url}/v1/profiles/{member}/recommendations", token).json()
    assert len(answer["items"]) == 20
    assert answer["items"][0]["reason"]["text"] in get(f"{site}/members/{member}").text.replace("&#39;", "'")


def test_its_clip_is_shown_for_titles_without_a_video_with_its_credit(demo: Demo) -> None:
    token = member_headers(demo.stack.settings, "me")
    page = get(f"{demo.stack.settings.playback_url}/watch/ml-50", token).text
    assert "Star Wars has no video here." in " ".join(page.split())
    assert "© Blender Foundation, CC BY 3.0" in page


def test_each_of_its_days_has_a_page_which_the_site_hands_out(demo: Demo) -> None:
    folder = demo.stack.settings.folder / "reports" / "dashboards"
    days = sorted(file.stem for file in folder.glob("20*.html"))
    assert len(days) == 5, "four days and the one on which it runs"
    page = get(f"{demo.stack.settings.ops_url}/dashboards/{days[-2]}.html").text
    assert "Quality of experience, day by day" in page, "an empty day would not have it"


def test_its_tables_hold_every_history_and_the_features_of_each_midnight(demo: Demo) -> None:
    settings, state = demo.stack.settings, ["profile_id", "playback_session_id", "seq"]
    from_cassandra, from_the_lake = (tables.rows(settings, name) for name in ("viewing_history", "viewing_records"))
    assert from_cassandra.select(state).sort(state).equals(from_the_lake.select(state).sort(state))
    assert tables.rows(settings, "profile_features")["as_of"].n_unique() == 5, "nobody had watched on the first"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1440])
def test_its_pages_fit_and_the_console_is_silent(demo: Demo, width: int, scheme: str) -> None:
    site = demo.stack.settings.ops_url
    day = max(file.name for file in (demo.stack.settings.folder / "reports" / "dashboards").glob("20*.html"))
    days = (f"{site}/dashboards/index.html", f"{site}/dashboards/{day}")
    with sync_playwright() as playwright, launched(playwright) as browser:
        apis = (demo.stack.settings.history_url, demo.stack.settings.collector_url)
        film = f"{demo.stack.settings.playback_url}/watch/ml-50"
        for address in (site, f"{site}/members", film, *(f"{api}/docs" for api in apis), *days):
            complaints: list[str] = []
            page = opened(browser, address, width, scheme, complaints, demo.stack.settings)
            assert page.evaluate(OVERFLOW) == [], address
            assert complaints == [], address
            page.close()


def test_status_finds_every_process_ready(demo: Demo) -> None:
    def all_are_ready() -> bool:
        """One that has to wait for a core may answer too late to be ready at the first look."""
        status = playhead("status")
        return status.returncode == 0 and len(re.findall(r"\bready\b", status.stdout)) == processes

    processes = len([*demo.stack.backends, *PROCESSES])

    eventually(all_are_ready)


def test_a_drill_on_it_wakes_somebody_once_and_lets_them_sleep_again(
    demo: Demo, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The shortest one, with an alert that waits less: as it is, it takes over two minutes."""
    monkeypatch.setattr(monitoring, "CONFIGURATION", impatient(tmp_path / "monitoring"))
    demo.stack.monitor()
    assert run(demo.stack, replace(DRILLS["worker-stopped"], symptom=None)), capsys.readouterr().out


def impatient(folder: Path) -> Path:
    """A copy of the configuration in which WorkerDown fires and resolves quickly."""
    shutil.copytree(monitoring.CONFIGURATION, folder)
    alerts = folder / "rules" / "alerts.yml"
    sooner = re.sub(
        r"(alert: WorkerDown\n.*?)for: 30s(.*?)keep_firing_for: 1m",
        r"\1for: 10s\2keep_firing_for: 1s",
        alerts.read_text(),
        count=1,
        flags=re.DOTALL,
    )
    assert sooner != alerts.read_text()
    alerts.write_text(sooner)
    return folder


def test_ctrl_c_stops_all_and_keeps_the_data(demo: Demo) -> None:
    demo.process.send_signal(signal.SIGINT)
    assert demo.process.wait(PATIENCE_S) == 0
    assert demo.stack.status() == []
    assert (demo.stack.settings.folder / "reports" / "dashboards" / "index.html").exists()
