"""Prometheus and Alertmanager next to a stack; without them everything else works."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

from domain.processes import Process
from infra.local import backends, loopback, monitoring_programs, template
from infra.local.program import LOOPBACK, Program
from infra.local.workers import addresses
from infra.runtime.settings import ROOT, Port, Settings

CONFIGURATION = ROOT / "infra" / "monitoring"
KEEP = "15d"
"""Longer than a week: this evening is compared with last week's."""


def programs(settings: Settings, processes: Sequence[Process]) -> tuple[Program, ...]:
    return _alertmanager(settings), _prometheus(settings, processes)


def write_configuration(settings: Settings, processes: Sequence[Process], folder: Path) -> None:
    """``prometheus.yml``, the rules made of the table of processes, and ``alertmanager.yml`` with its inhibitions."""
    jobs = {process.name: addresses(settings, process) for process in processes} | {
        backend.name: [_address(settings, backend.metrics)]
        for backend in backends.of(settings)
        if backend.metrics and backend.is_local(settings)
    }
    template.write(
        str(CONFIGURATION / "prometheus.yml"),
        folder / "prometheus.yml",
        rules=CONFIGURATION / "rules" / "*.yml",
        process_rules=folder / "processes.yml",
        prometheus=_address(settings, Port.PROMETHEUS),
        alertmanager=_address(settings, Port.ALERTMANAGER),
        # JSON is YAML.
        jobs="\n".join(
            f"  - {json.dumps({'job_name': name, 'static_configs': [{'targets': targets}]})}"
            for name, targets in jobs.items()
        ),
    )
    (folder / "processes.yml").write_text(json.dumps({"groups": [_process_rules(processes)]}, indent=1))
    webhooks = {"page": settings.page_webhook, "ticket": settings.ticket_webhook, "watchdog": settings.watchdog_webhook}
    receivers = {
        name: [{"url": url.get_secret_value()}] if url.get_secret_value() else [] for name, url in webhooks.items()
    }
    template.write(
        str(CONFIGURATION / "alertmanager.yml"),
        folder / "alertmanager.yml",
        backends="\n".join(f"  - {json.dumps(rule)}" for rule in _backend_inhibitions(processes)),
        **{name: json.dumps(configs) for name, configs in receivers.items()},
    )


def _backend_inhibitions(processes: Sequence[Process]) -> Iterator[dict[str, list[str]]]:
    """For each backend that a process needs: what its outage inhibits, and what it inhibits for a while afterwards."""
    for backend in sorted({backend for process in processes for backend in process.needs}):
        needs = f'needs=~"(.+ )?{backend}( .+)?"'
        slow = [needs, 'slo=~".+"']
        for cause, effects in (("BackendUnreachable", [needs]), ("StoreFull", [needs]), ("RecentOutage", slow)):
            yield {
                "source_matchers": [f'alertname="{cause}"', f'backend="{backend}"'],
                "target_matchers": effects,
            }


def _process_rules(processes: Sequence[Process]) -> dict[str, object]:
    """A group of one constant series a process, which alerts take their labels from."""
    return {
        "name": "processes",
        "rules": [
            {
                "record": "playhead:process:info",
                "expr": "vector(1)",
                "labels": {
                    "process": process.name,
                    "group": process.group or "",
                    "needs": " ".join(process.needs),
                    "severity": "page" if process.critical else "ticket",
                },
            }
            for process in processes
        ],
    }


def _prometheus(settings: Settings, processes: Sequence[Process]) -> Program:
    folder = settings.folder / "monitoring"
    address = _address(settings, Port.PROMETHEUS)
    return Program(
        name="prometheus",
        command=(
            monitoring_programs.path(settings.home, "prometheus"),
            f"--config.file={folder}/prometheus.yml",
            f"--storage.tsdb.path={folder}/prometheus",
            f"--storage.tsdb.retention.time={KEEP}",
            f"--web.listen-address={address}",
            f"--web.console.templates={CONFIGURATION}/consoles",
            f"--web.console.libraries={CONFIGURATION}/consoles",
        ),
        ports=(settings.port(Port.PROMETHEUS),),
        is_ready=lambda: loopback.is_well(f"http://{address}/-/ready"),
        configure=lambda: write_configuration(settings, processes, folder),
    )


def _alertmanager(settings: Settings) -> Program:
    folder = settings.folder / "monitoring"
    address = _address(settings, Port.ALERTMANAGER)
    return Program(
        name="alertmanager",
        command=(
            monitoring_programs.path(settings.home, "alertmanager"),
            f"--config.file={folder}/alertmanager.yml",
            f"--storage.path={folder}/alertmanager",
            f"--web.listen-address={address}",
            "--cluster.listen-address=",
        ),
        ports=(settings.port(Port.ALERTMANAGER),),
        is_ready=lambda: loopback.is_well(f"http://{address}/-/ready"),
    )


def _address(settings: Settings, port: Port) -> str:
    return f"{LOOPBACK}:{settings.port(port)}"
