"""Each alert has a runbook, and each runbook is complete."""

import re

import pytest

from infra.cli import app
from infra.runtime.metrics.page import series
from infra.runtime.settings import ROOT
from tests.unit.infra.monitoring.rules import Alert, alerts, asked_for, recorded

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


def test_every_runbook_has_an_alert() -> None:
    assert {path.stem for path in RUNBOOKS.glob("*.md")} == {alert.name for alert in alerts()}


def test_runbooks_use_only_commands_that_exist() -> None:
    commands = {command.name or getattr(command.callback, "__name__", "") for command in app.registered_commands}
    used = {
        (path.name, command)
        for path in RUNBOOKS.glob("*.md")
        for command in re.findall(r"`playhead ([a-z]+)", path.read_text())
    }
    assert used
    assert {(name, command) for name, command in used if command not in commands} == set()


def test_every_series_that_a_rule_asks_for_is_declared_or_recorded() -> None:
    assert len(asked_for()) > 10
    assert asked_for() <= series() | recorded()
