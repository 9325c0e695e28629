"""The jobs as a person runs them, in the tests' Spark; lake and tables in a real object store and catalog."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from uuid import uuid4

import pytest
from pyspark.sql import SparkSession
from typer.testing import CliRunner

from batch import wiring
from batch.main import app
from infra.engines.s3 import ObjectStore
from infra.local import jars
from infra.runtime.settings import ROOT, Settings
from tests.support.restored_logging import logging_restored
from tests.support.spark import connected


@dataclass(frozen=True)
class Ran:
    """What a command printed, and the reports of each of its jobs."""

    code: int
    stdout: str
    stderr: str
    jobs: Sequence[Mapping[str, int]]
    """``step: part`` -> count."""

    @property
    def reports(self) -> dict[str, int]:
        return {name: count for job in self.jobs for name, count in job.items()}


Command = Callable[..., Ran]


@pytest.fixture
def settings(stack: Settings) -> Settings:
    """A lake and tables of this test alone."""
    return own(stack)


def own(stack: Settings) -> Settings:
    name = uuid4().hex[:12]
    return stack.model_copy(update={"lake_bucket": f"lake-{name}", "iceberg_namespace": f"test_{name}"})


@pytest.fixture
def lake(settings: Settings) -> ObjectStore:
    return made(settings)


def made(settings: Settings) -> ObjectStore:
    store = ObjectStore(settings)
    store.ensure_bucket()
    return store


@pytest.fixture(scope="session")
def spark(stack: Settings) -> SparkSession:
    return connected(*wiring.connections(stack))


@pytest.fixture
def command(settings: Settings, spark: SparkSession) -> Command:
    return partial(run_in_process, settings, spark)


def run_in_process(settings: Settings, spark: SparkSession, *arguments: str) -> Ran:
    """The command in this process: what starting Spark would take, a JVM each, is left out."""
    logs = settings.folder / "logs" / "jobs"
    before = set(logs.glob("*.log"))
    with pytest.MonkeyPatch.context() as patch, logging_restored():
        patch.setattr(wiring, "start_spark", lambda *_: spark)
        for name, value in environment(settings).items():
            patch.setenv(name, value)
        result = CliRunner().invoke(app, list(arguments))
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    written = sorted(set(logs.glob("*.log")) - before, key=lambda file: file.stat().st_mtime_ns)
    lines = [line for file in written for line in file.read_text().splitlines()]
    return Ran(result.exit_code, result.stdout, result.stderr, _jobs(lines))


def run_by_spark_submit(settings: Settings, *arguments: str) -> Ran:
    """The command as on a cluster: JSON lines on stderr, all of which spark-submit sends to stdout."""
    with spark_submit(settings, *arguments) as process:
        output, _ = process.communicate()
    return Ran(process.returncode, output, "", _jobs(output.splitlines()))


def spark_submit(settings: Settings, *arguments: str) -> subprocess.Popen[str]:
    folder = jars.folder(settings.home, "spark")
    submit = ("spark-submit", "--master", "local[1]", "--jars", ",".join(map(str, folder.glob("*.jar"))))
    return subprocess.Popen(
        [*submit, str(ROOT / "batch" / "main.py"), *arguments],
        env=os.environ | environment(settings),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def environment(settings: Settings) -> dict[str, str]:
    return {
        "PLAYHEAD_LAKE_BUCKET": settings.lake_bucket,
        "PLAYHEAD_ICEBERG_NAMESPACE": settings.iceberg_namespace,
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",  # spark-submit asks python3 where Spark is
        "PYSPARK_PYTHON": sys.executable,
        "PYTHONPATH": str(ROOT),
    }


def _jobs(lines: Sequence[str]) -> list[dict[str, int]]:
    jobs: dict[str, dict[str, int]] = {}
    for line in [json.loads(line) for line in lines if line.startswith("{")]:
        if "rows" in line:  # not a line of a library
            jobs.setdefault(line["run"], {})[f"{line['step']}: {line['event']}"] = line["rows"]
    return list(jobs.values())
