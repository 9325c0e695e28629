"""What an installed Playhead can do: ``test_package.py`` runs this file outside the checkout."""

import importlib
import pkgutil
import sys
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.responses import HTMLResponse
from fastapi.testclient import TestClient
from typer.testing import CliRunner

PACKAGES = ("schemas", "domain", "producers", "streams", "services", "batch", "infra")


def modules() -> list[str]:
    roots = [importlib.import_module(name) for name in PACKAGES]
    return [found.name for root in roots for found in pkgutil.walk_packages(root.__path__, f"{root.__name__}.")]


@pytest.mark.parametrize("name", PACKAGES)
def test_a_package_comes_from_the_wheel(name: str) -> None:
    assert Path(str(importlib.import_module(name).__file__)).is_relative_to(sys.prefix)


def test_every_module_can_be_imported() -> None:
    names = modules()
    assert len(names) > 200
    for name in names:
        importlib.import_module(name)


def test_schemas_read_their_avro() -> None:
    from schemas.avro import schema

    assert schema("playback")["namespace"] == "playhead"


def test_domain_names_an_object_of_the_lake() -> None:
    from domain.lake.keys import Chain

    assert Chain("playhead.ui", "id", 3).key(7) == "raw/playhead.ui/id/partition=3/00000000000000000007.avro"


def test_producers_describe_the_collector() -> None:
    from producers.collector.openapi import page

    assert "http://127.0.0.1:20001/v1/events" in page("http://127.0.0.1:20001")


def test_streams_offer_their_workers() -> None:
    from streams.main import app

    assert "history" in CliRunner().invoke(app, ["--help"]).output


def test_services_show_runbooks() -> None:
    from services.ops.runbooks import router
    from services.ops.wiring import ECHARTS, RUNBOOKS

    site = FastAPI()
    site.include_router(router(RUNBOOKS, lambda request, name, context: HTMLResponse(context["html"])))
    assert "<h1>WorkerDown</h1>" in TestClient(site).get("/runbooks/WorkerDown").text
    assert ECHARTS.stat().st_size > 100_000


def test_batch_makes_a_page() -> None:
    from batch.reports.page import Run, render_index

    assert "<html" in render_index({}, Run("run", 0))


def test_infra_finds_migrations_rules_and_templates(tmp_path: Path) -> None:
    from domain.processes import PROCESSES
    from infra.local.jars import POM
    from infra.local.monitoring import write_configuration
    from infra.migrate import FOLDER
    from infra.runtime.settings import Settings

    write_configuration(Settings(), PROCESSES, tmp_path)
    rules = next(line for line in (tmp_path / "prometheus.yml").read_text().splitlines() if line.endswith(".yml"))
    folder = Path(rules.strip(" -")).parent
    assert folder.is_relative_to(sys.prefix)
    assert sorted(file.name for file in folder.iterdir()) == ["alerts.yml", "pipeline.yml", "quality.yml", "slo.yml"]
    assert (FOLDER / "001_viewing_history.cql").exists()
    assert POM.exists()


def test_the_stack_lives_in_the_folder_where_it_is_started() -> None:
    from infra.runtime.settings import Settings

    assert Settings().home == Path.cwd() / ".playhead"
