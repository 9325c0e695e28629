"""The jobs as a person runs them, with lake and tables in a real object store and catalog."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from uuid import uuid4

import pytest

from infra.engines.s3 import ObjectStore
from infra.runtime.settings import ROOT, Settings

Command = Callable[..., subprocess.CompletedProcess[str]]


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


def environment(settings: Settings) -> dict[str, str]:
    return os.environ | {
        "PLAYHEAD_LAKE_BUCKET": settings.lake_bucket,
        "PLAYHEAD_ICEBERG_NAMESPACE": settings.iceberg_namespace,
        "PATH": f"{os.path.dirname(sys.executable)}:{os.environ['PATH']}",  # spark-submit asks python3 where Spark is
        "PYSPARK_PYTHON": sys.executable,
        "PYTHONPATH": str(ROOT),
    }


@pytest.fixture
def command(settings: Settings) -> Command:
    return partial(run_command, settings)


def run_command(
    settings: Settings, *arguments: str, program: tuple[str, ...] = (sys.executable, "-m", "batch.main")
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*program, *arguments], env=environment(settings), capture_output=True, text=True, check=False
    )


def stages(run: subprocess.CompletedProcess[str]) -> dict[str, int]:
    """Report -> rows, of a table ``table: stage``."""
    return {stage: rows for job in each_job(run) for stage, rows in job.items()}


def each_job(run: subprocess.CompletedProcess[str]) -> list[dict[str, int]]:
    """``stages`` of each job of a command line that names several."""
    output = (run.stdout + run.stderr).splitlines()  # spark-submit sends all that its program says to stdout
    jobs: dict[str, dict[str, int]] = {}
    for line in [json.loads(line) for line in output if line.startswith("{")]:
        if "rows" in line:
            stage = ": ".join(filter(None, (line.get("table"), line["event"])))
            jobs.setdefault(line["run"], {})[stage] = line["rows"]
    return list(jobs.values())
