"""The wheel holds all that the packages need, and works where there is no checkout."""

import ast
import os
import re
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path
from zipfile import ZipFile

import pytest

from infra.runtime.settings import ROOT
from tests.integration import installed_package

UV = Path(sys.executable).with_name("uv")


def run(*command: object, folder: Path, **environment: str) -> str:
    done = subprocess.run(
        list(map(str, command)), cwd=folder, env=environment or None, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    run(UV, "build", "--offline", "--no-build-isolation", "--python", sys.executable, "-o", folder, folder=ROOT)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path) -> Path:
    """An environment with the wheel alone; what it depends on is linked from this environment, which is no network."""
    environment = wheel.parent / "environment"
    run(UV, "venv", "--offline", "--python", sys.executable, environment, folder=wheel.parent)
    python = environment / "bin" / "python"
    run(UV, "pip", "install", "--offline", "--no-index", "--no-deps", "--python", python, wheel, folder=wheel.parent)
    (packages,) = environment.glob("lib/python*/site-packages")
    (packages / "dependencies.pth").write_text(sysconfig.get_path("purelib"))
    return environment


def test_every_file_of_the_packages_is_in_the_wheel(wheel: Path) -> None:
    folders = [*installed_package.PACKAGES, "infra/monitoring/runbooks"]  # rglob does not follow a link
    here = [file.relative_to(ROOT) for folder in folders for file in (ROOT / folder).rglob("*") if file.is_file()]
    wanted = {str(file) for file in here if "__pycache__" not in file.parts}
    assert wanted - set(ZipFile(wheel).namelist()) == set()
    assert {"schemas/avro/playback.avsc", "infra/monitoring/runbooks/WorkerDown.md"} <= wanted


def test_an_installed_package_works_outside_the_checkout(installed: Path, tmp_path: Path) -> None:
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}
    assert "Playhead's local stack" in run(installed / "bin" / "playhead", "--help", folder=tmp_path, **environment)
    units = tmp_path / "test_units.py"
    units.write_text(Path(installed_package.__file__).read_text())
    command = (installed / "bin" / "python", "-m", "pytest", "-q", "-p", "no:cacheprovider", units)
    assert " passed" in run(*command, folder=tmp_path, **environment)


def imported() -> Iterator[tuple[str, str]]:
    """Package of somebody else and the file that imports it."""
    ours = {*installed_package.PACKAGES, *sys.stdlib_module_names, "mypy_boto3_s3"}  # for the type checker alone
    for folder in installed_package.PACKAGES:
        for file in (ROOT / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(file.read_text())):
                names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
                names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
                yield from ((top, str(file)) for name in names if (top := name.partition(".")[0]) not in ours)


def test_what_the_packages_import_is_pinned_for_run_time() -> None:
    pinned = set(re.findall(r"^([a-z0-9-]+)==", (ROOT / "requirements" / "run.txt").read_text(), re.MULTILINE))
    of = {
        top: {re.sub(r"[-_.]+", "-", name).lower() for name in names} for top, names in packages_distributions().items()
    }
    assert {(top, file) for top, file in imported() if not of.get(top, {top}) & pinned} == set()
