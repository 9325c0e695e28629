"""Each alert has a runbook, and each runbook is complete."""

import json
import re
from pathlib import Path

import pytest

from domain.processes import PROCESSES
from infra.drill import DRILLS
from infra.local.stack import Stack
from infra.runtime.metrics.page import series
from infra.runtime.settings import ROOT, Port, Settings
from tests.unit.infra.monitoring.rules import Alert, alerts, asked_for, recorded
from tests.unit.infra.monitoring.tools import run, tool

RUNBOOKS = ROOT / "docs" / "operate" / "alerts"
PARTS = ["What members notice", "How to confirm", "How to fix", "How to verify"]
ALERTS = pytest.mark.parametrize("alert", alerts(), ids=lambda alert: alert.name)


@ALERTS
def test_it_has_a_summary_a_description_a_severity_and_the_link_to_its_runbook(alert: Alert) -> None:
    for needed in ("summary: ", "description: ", "severity", f"runbook_url: docs/operate/alerts/{alert.name}.md"):
        assert needed in alert.text


@ALERTS
def test_its_runbook_says_what_is_noticed_how_to_confirm_to_fix_and_to_verify(alert: Alert) -> None:
    text = (RUNBOOKS / f"{alert.name}.md").read_text()
    assert text.startswith(f"# {alert.name}\n")
    assert re.findall(r"^## (.*)$", text, re.MULTILINE) == PARTS
    assert all(len(part.strip()) > 40 for part in re.split(r"^## .*$", text, flags=re.MULTILINE)[1:])


def in_runbooks(pattern: str) -> list[tuple[str, str]]:
    """(runbook, text) for whatever the pattern's group finds."""
    return [(path.name, text) for path in RUNBOOKS.glob("*.md") for text in re.findall(pattern, path.read_text())]


def test_every_runbook_has_an_alert() -> None:
    assert {path.stem for path in RUNBOOKS.glob("*.md")} == {alert.name for alert in alerts()}


def test_the_page_of_monitoring_lists_every_alert() -> None:
    page = (ROOT / "docs" / "operate" / "monitoring.md").read_text()
    assert sorted(re.findall(r"^\| \[(\w+)\]\(alerts/\1\.md\)", page, re.MULTILINE)) == sorted(
        each.name for each in alerts()
    )


def test_the_page_of_drills_lists_every_drill_and_the_alert_that_it_expects() -> None:
    page = (ROOT / "docs" / "operate" / "drills.md").read_text()
    listed = dict(re.findall(r"^\| `([a-z0-9-]+)` \|.*?\| `(\w+)`", page, re.MULTILINE))
    assert listed == {name: drill.alert for name, drill in DRILLS.items()}


def test_the_runbooks_of_what_is_down_say_what_members_notice_for_each_process_and_backend() -> None:
    def listed(alert: str) -> set[str]:
        part = (RUNBOOKS / f"{alert}.md").read_text().split("## How to confirm")[0]
        entries = re.findall(r"^- ([^:]*):", part, re.MULTILINE)
        return {name for entry in entries for name in re.findall(r"`([a-z0-9-]+)`", entry)}

    assert listed("WorkerDown") == {process.name for process in PROCESSES}
    assert listed("BackendUnreachable") == {each for process in PROCESSES for each in (*process.needs, *process.uses)}


def test_the_processes_that_runbooks_log_stop_and_start_exist() -> None:
    stack = Stack(Settings(workers={"history": 2}))
    named = in_runbooks(r"`playhead (?:logs|start|stop|restart) ([a-z-]+)")
    assert len(named) > 20
    for _, name in named:
        assert stack.select(name)


def test_the_ports_that_runbooks_ask_are_those_of_the_demo() -> None:
    settings = Settings(stack="demo", port_base=0)
    ports = {settings.port(port) for port in Port} | {settings.process_port(process) for process in PROCESSES}
    asked = in_runbooks(r"http://127.0.0.1:(\d+)")
    assert asked
    assert [each for each in asked if int(each[1]) not in ports] == []


def test_prometheus_understands_the_queries_of_runbooks(tmp_path: Path) -> None:
    """A metric's plain name in a sentence is a query, too."""
    queries = in_runbooks(r"`([^`\n]*playhead[_:][^`\n]*)`")
    assert len(queries) > 10
    rules = [{"record": f"query_{number}", "expr": query} for number, (_, query) in enumerate(queries)]
    file = tmp_path / "queries.yml"
    file.write_text(json.dumps({"groups": [{"name": "runbooks", "rules": rules}]}))
    run(tool("promtool"), "check", "rules", file)


def test_every_series_that_a_rule_asks_for_is_declared_or_recorded() -> None:
    assert len(asked_for()) > 10
    assert asked_for() <= series() | recorded()
