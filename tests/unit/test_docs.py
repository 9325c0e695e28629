"""What the docs name exists. The site's builder checks the links inside of ``docs``; this checks the rest."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.exceptions import TyperException
from typer.main import get_command

from infra.cli import ELSEWHERE, app, load
from infra.runtime.metrics.page import series
from infra.runtime.settings import ROOT, Settings

OUTSIDE = [*ROOT.glob("*.md"), ROOT / "schemas" / "README.md"]
PAGES = [*(ROOT / "docs").rglob("*.md"), *OUTSIDE]
HISTORY = ROOT / "CHANGELOG.md"
"""It also names what was renamed or removed."""


def named(pattern: str) -> Iterator[tuple[str, Any]]:
    """(page, name) for whatever the pattern's group finds in the pages; several groups: their texts."""
    for page in PAGES:
        if page != HISTORY:
            yield from ((str(page.relative_to(ROOT)), name) for name in re.findall(pattern, page.read_text()))


@pytest.mark.parametrize("page", OUTSIDE, ids=lambda page: page.name)
def test_links_of_pages_outside_of_the_site_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text())
    assert [link for link in links if not (page.parent / link).exists()] == []


def test_every_page_is_in_the_table_of_contents() -> None:
    contents = re.findall(r"[\w/-]+\.md", (ROOT / "mkdocs.yml").read_text())
    pages = [str(page.relative_to(ROOT / "docs")) for page in (ROOT / "docs").rglob("*.md")]
    assert sorted(contents) == sorted(pages)


def test_settings_exist() -> None:
    settings = {name.upper() for name in Settings.model_fields} | {"ENV_FILE"}
    assert [each for each in named(r"PLAYHEAD_([A-Z0-9_]+)") if each[1] not in settings] == []


def test_commands_exist() -> None:
    commands = {command.name or getattr(command.callback, "__name__", "") for command in app.registered_commands}
    assert [each for each in named(r"(?m)(?:`|^)playhead ([a-z]+)") if each[1] not in commands] == []


def test_commands_take_the_arguments_that_pages_give_them() -> None:
    """A command without arguments may be just a mention, and one with ``…`` or ``[]`` is not whole."""
    given = [*named(r"(?m)(?:`|^)playhead ([a-z]+ [^`\n]+)")]
    given += [(page, f"job {' '.join(job)}") for page, job in named(r'`make job JOB=(\w+)(?: ARGS="?([^`"]+)"?)?`')]
    lines = {(page, re.split(r" +[#&|] *", line)[0]) for page, line in given}
    whole = [each for each in lines if not re.search(r"[…\[]|--hour$", each[1])]
    assert len(whole) > 50
    for page, line in whole:
        name, *arguments = shlex.split(line)
        command = load(name) if name in ELSEWHERE else get_command(app).commands[name]  # type: ignore[attr-defined]
        try:
            context = command.make_context(name, ["--check", *arguments] if name == "job" else arguments)
            if name == "job":  # parses the jobs, each with its options, and runs none
                command.invoke(context)
        except TyperException as error:
            pytest.fail(f"{page}: playhead {line}: {error}")


def test_make_targets_exist() -> None:
    targets = set(re.findall(r"(?m)^([a-z-]+):", (ROOT / "Makefile").read_text()))
    assert [each for each in named(r"(?m)(?:`|^)make ([a-z-]+)") if each[1] not in targets] == []


def test_metrics_exist() -> None:
    names = series() | {name.rsplit("_", 1)[0] for name in series()}
    assert [each for each in named(r"`(playhead_(?!ms\b)[a-z0-9_]+)") if each[1] not in names] == []


def test_tests_exist() -> None:
    tests = {
        name for file in (ROOT / "tests").rglob("*.py") for name in re.findall(r"def (test_\w+)", file.read_text())
    }
    assert [each for each in named(r"`(test_\w+)`") if each[1] not in tests] == []


def test_files_exist() -> None:
    folders = "schemas|domain|infra|producers|streams|services|clients|batch|bench|tests"
    paths = named(rf"`((?:{folders})/[\w/.-]+)`")
    assert [each for each in paths if not (ROOT / each[1]).exists()] == []
