"""Prometheus's and Alertmanager's own tools check our rules and the configuration that we generate."""

import json
import re
from pathlib import Path

import pytest

from domain.processes import PROCESSES
from infra.local.monitoring import write_configuration
from infra.runtime.settings import Settings
from tests.unit.infra.monitoring.rules import RULES, alerts
from tests.unit.infra.monitoring.tools import run, tool

CASES = sorted(Path(__file__).parent.glob("*_cases.yml"))


@pytest.fixture(scope="module")
def promtool() -> str:
    return tool("promtool")


@pytest.fixture(scope="module")
def amtool() -> str:
    return tool("amtool")


def settings(**changes: object) -> Settings:
    return Settings.model_validate({"stack": "unit", "port_base": 18000} | changes)


@pytest.fixture
def rules(tmp_path: Path) -> list[Path]:
    """The rules of the repository, and those made of the table of processes."""
    write_configuration(settings(), PROCESSES, tmp_path)
    return [tmp_path / "processes.yml", *RULES]


def test_the_rules_are_valid(promtool: str, rules: list[Path]) -> None:
    run(promtool, "check", "rules", *rules)


@pytest.mark.parametrize("cases", CASES, ids=lambda path: path.stem)
def test_alerts_fire_when_they_must_and_at_no_other_time(
    promtool: str, rules: list[Path], cases: Path, tmp_path: Path
) -> None:
    made = tmp_path / cases.name
    made.write_text(f"rule_files: {json.dumps(list(map(str, rules)))}\n{cases.read_text()}")
    run(promtool, "test", "rules", made)


def test_every_process_has_its_group_needs_and_severity_for_the_alerts(tmp_path: Path) -> None:
    write_configuration(settings(), PROCESSES, tmp_path)
    rules = json.loads((tmp_path / "processes.yml").read_text())["groups"][0]["rules"]
    labels = {rule["labels"]["process"]: rule["labels"] for rule in rules}
    assert list(labels) == [process.name for process in PROCESSES]
    assert labels["lake"] == {
        "process": "lake",
        "group": "playhead.lake",
        "needs": "kafka registry s3",
        "severity": "page",
    }
    assert labels["compaction"]["severity"] == "ticket"


def test_a_process_that_an_alert_names_is_one_of_the_table() -> None:
    named = {name for alert in alerts() for name in re.findall(r"\bprocess: (\w[\w-]*)", alert.text)}
    assert named <= {process.name for process in PROCESSES}


def test_every_alert_has_a_case_that_fires_and_all_but_the_watchdog_one_that_does_not() -> None:
    cases = [case for path in CASES for case in re.split(r"^  - name: ", path.read_text(), flags=re.MULTILINE)[1:]]
    of = {alert.name: "".join(case for case in cases if case.startswith(alert.name)) for alert in alerts()}
    assert [name for name, text in of.items() if f'alertname="{name}"' not in text] == []
    assert [name for name, text in of.items() if "exp_samples: []" not in text] == ["Watchdog"]


def test_what_is_written_for_prometheus_names_every_worker(promtool: str, tmp_path: Path) -> None:
    write_configuration(settings(workers={"history": 2}), PROCESSES, tmp_path)
    run(promtool, "check", "config", tmp_path / "prometheus.yml")
    jobs = re.findall(r'"job_name": "(\S+)".*"targets": \[(.*?)\]', (tmp_path / "prometheus.yml").read_text())
    assert dict(jobs)["history"] == '"127.0.0.1:18110", "127.0.0.1:18111"'
    assert dict(jobs)["edge"] == '"127.0.0.1:18046"'
    assert [name for name, _ in jobs] == [*(process.name for process in PROCESSES), "edge", "gateway"]


def test_what_is_written_for_alertmanager_is_valid_and_notifies_nobody_by_default(amtool: str, tmp_path: Path) -> None:
    write_configuration(settings(), PROCESSES, tmp_path)
    run(amtool, "check-config", tmp_path / "alertmanager.yml")
    assert "url" not in (tmp_path / "alertmanager.yml").read_text()


def test_pages_tickets_and_the_watchdog_go_to_their_webhooks(amtool: str, tmp_path: Path) -> None:
    hooks = {f"{name}_webhook": f"https://{name}.example/hook" for name in ("page", "ticket", "watchdog")}
    write_configuration(settings(**hooks), PROCESSES, tmp_path)
    run(amtool, "check-config", tmp_path / "alertmanager.yml")
    text = (tmp_path / "alertmanager.yml").read_text()
    for severity in ("page", "ticket", "watchdog"):
        assert f'- name: {severity}\n    webhook_configs: [{{"url": "https://{severity}.example/hook"}}]' in text
    routed = [amtool, "config", "routes", "test", f"--config.file={tmp_path}/alertmanager.yml"]
    for severity, receiver in {"page": "page", "ticket": "ticket", "none": "watchdog"}.items():
        run(*routed, f"--verify.receivers={receiver}", f"severity={severity}")
