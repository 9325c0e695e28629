"""A process is one row: everything that has to know it follows from ``domain.processes``."""

import dataclasses
import json
import re
from pathlib import Path

import pytest

from domain.processes import PROCESSES, Flow, Process, consumer_groups
from infra.local import gateway
from infra.local.monitoring import write_configuration
from infra.local.stack import Stack
from infra.runtime.settings import Settings
from tests.support.reference import flow

ADDED = Process(
    name="billing",
    command=("-m", "services.billing.main", "{worker}"),
    does="Charges members.",
    port=160,
    needs=("kafka", "registry", "cassandra"),
    public=("/v1/bills",),
    group="playhead.billing",
    topics=("playhead.playback",),
    reads=(Flow("live_vh", "what was watched"),),
    writes=(Flow("kafka", "bills"),),
    critical=False,
    workers=2,
)
TABLE = (*PROCESSES, ADDED)
SETTINGS = Settings(stack="unit", port_base=18000)


def test_it_gets_programs_with_ports() -> None:
    stack = Stack(SETTINGS, TABLE)
    assert stack.select("billing") == ["billing-0", "billing-1"]
    assert SETTINGS.process_url(ADDED, 1) == "http://127.0.0.1:18161"


def test_it_is_watched_and_its_alerts_know_what_it_needs(tmp_path: Path) -> None:
    write_configuration(SETTINGS, TABLE, tmp_path)
    jobs = dict(re.findall(r'"job_name": "(\S+)".*"targets": \[(.*?)\]', (tmp_path / "prometheus.yml").read_text()))
    (rules,) = json.loads((tmp_path / "processes.yml").read_text())["groups"]
    assert jobs["billing"] == '"127.0.0.1:18160", "127.0.0.1:18161"'
    assert rules["rules"][-1]["labels"] == {
        "process": "billing",
        "group": "playhead.billing",
        "needs": "kafka registry cassandra",
        "severity": "ticket",
    }


def test_an_outage_of_what_it_needs_inhibits_its_alerts(tmp_path: Path) -> None:
    write_configuration(SETTINGS, (*PROCESSES, dataclasses.replace(ADDED, needs=("mariadb",))), tmp_path)
    text = (tmp_path / "alertmanager.yml").read_text()
    rules = [json.loads(line.removeprefix("  - ")) for line in text.splitlines() if line.startswith("  - {")]
    assert [rule for rule in rules if 'backend="mariadb"' in rule["source_matchers"]] == [
        {
            "source_matchers": ['alertname="BackendUnreachable"', 'backend="mariadb"'],
            "target_matchers": ['needs=~"(.+ )?mariadb( .+)?"'],
        },
        {
            "source_matchers": ['alertname="StoreFull"', 'backend="mariadb"'],
            "target_matchers": ['needs=~"(.+ )?mariadb( .+)?"'],
        },
        {
            "source_matchers": ['alertname="RecentOutage"', 'backend="mariadb"'],
            "target_matchers": ['needs=~"(.+ )?mariadb( .+)?"', 'slo=~".+"'],
        },
    ]


def test_the_gateway_leads_to_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Settings, "processes", TABLE)
    gateway.write_configuration(SETTINGS, tmp_path)
    configuration = (tmp_path / "gateway.conf").read_text()
    assert "~^/v1/bills(/|$) billing;" in configuration
    assert "upstream billing { server 127.0.0.1:18160 " in configuration


def test_its_group_is_shown_and_awaited() -> None:
    assert consumer_groups(TABLE)["playhead.billing"] == ("playhead.playback",)


def test_it_is_drawn_and_listed() -> None:
    page = flow.page(TABLE)
    for line in (
        'gateway -- "/v1/bills" --> billing',
        'kafka -- "playhead.playback" --> billing',
        'live_vh -- "what was watched" --> billing',
        'billing -- "bills" --> kafka',
    ):
        assert line in page
    assert "| `billing` | Charges members. | 2+ | 20160 | `/v1/bills` | `playhead.billing` |" in page
