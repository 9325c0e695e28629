"""Stream workers as processes, without a supervisor: a test decides when they start and how they end."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import httpx

from domain.processes import BY_NAME
from infra.local.workers import environment
from infra.runtime.settings import Settings
from tests.support.pipeline import PATIENCE_S, get


class Worker:
    def __init__(self, settings: Settings, process: str, number: int, log: Path) -> None:
        entry = BY_NAME[process]
        self._topic = next(iter(entry.topics), None)
        self._port = settings.process_port(entry, number)
        command = [sys.executable, *(part.replace("{worker}", str(number)) for part in entry.command)]
        with log.open("ab") as stderr:
            self.process = subprocess.Popen(command, stderr=stderr, env=os.environ | environment(settings))

    def signal(self, what: signal.Signals) -> None:
        self.process.send_signal(what)

    def metric(self, name: str) -> float:
        """Sum over its labels."""
        return sum(self.series(name))

    def partitions(self) -> int:
        """How many it has of the topic that it reads first, if any; it reports the lag of each."""
        return len(self.series("kafka_consumergroup_lag", f'topic="{self._topic}"'))

    def series(self, name: str, label: str = "") -> list[float]:
        """Those that have the label; nothing while the worker doesn't listen."""
        try:
            text = get(f"http://127.0.0.1:{self._port}/metrics").text
        except httpx.TransportError:
            return []
        return [float(value) for value in re.findall(rf"^{name}(?:{{.*{label}.*}})? (\S+)$", text, re.MULTILINE)]


def stop(workers: list[Worker]) -> None:
    for worker in workers:
        worker.signal(signal.SIGCONT)
        worker.signal(signal.SIGTERM)
    for worker in workers:
        worker.process.wait(PATIENCE_S)
