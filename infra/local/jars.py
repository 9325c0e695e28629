"""The backends' jars: a package for each profile of pom.xml, downloaded by Maven."""

import hashlib
import subprocess
import tarfile
from pathlib import Path

from infra.local import packages
from infra.local.program import StackError

POM = Path(__file__).with_name("pom.xml")


def folder(home: Path, profile: str) -> Path:
    return packages.folder(home, profile)


def is_fetched(home: Path, profile: str) -> bool:
    return packages.is_fetched(home, profile, _pom_hash())


def fetch(home: Path, profile: str) -> None:
    """Download the jars of one profile, unless they are there."""
    packages.fetch(home, profile, _pom_hash(), lambda target: _copy_dependencies(profile, target))


def _pom_hash() -> str:
    return hashlib.sha256(POM.read_bytes()).hexdigest()


def _copy_dependencies(profile: str, target: Path) -> None:
    maven = ["mvn", "-q", "-B", "-f", str(POM), "-P", profile]
    run = subprocess.run(
        [*maven, "dependency:copy-dependencies", f"-DoutputDirectory={target}"], capture_output=True, text=True
    )
    if run.returncode:
        output = (run.stdout + run.stderr).splitlines()
        reason = next((line for line in output if "[ERROR]" in line), f"exit code {run.returncode}")
        raise StackError(f"Maven cannot download {profile}: {reason} – check the network and Maven's settings.xml")
    for archive in target.glob("*.tar.gz"):
        with tarfile.open(archive) as tar:
            tar.extractall(target, filter="data")
        archive.unlink()
