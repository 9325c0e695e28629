"""Rules for what runs on MariaDB that no type says."""

import re

from domain.processes import OWNERS
from infra.migrate_mariadb import revisions
from infra.runtime.settings import ROOT

PACKAGES = ("domain", "schemas", "infra", "services", "streams", "producers", "batch")
LOCKING_READ = re.compile(r"with_for_update|\bFOR\s+UPDATE\b|LOCK\s+IN\s+SHARE\s+MODE", re.IGNORECASE)
BAN = "infra/engines/mariadb.py"
"""It says that they are banned."""


def test_no_read_locks_rows_since_a_cluster_locks_them_on_one_node_only() -> None:
    files = [file for package in PACKAGES for file in (ROOT / package).rglob("*.py")]
    found = {str(file.relative_to(ROOT)) for file in files if LOCKING_READ.search(file.read_text())}
    assert found == {BAN}


def test_the_lint_finds_each_way_to_write_one() -> None:
    for line in ("select(t).with_for_update()", "SELECT 1 FROM t for  update", "SELECT 1 LOCK IN SHARE MODE"):
        assert LOCKING_READ.search(line)


def test_revisions_of_a_schema_are_one_line() -> None:
    for owner in OWNERS:
        assert len(revisions(owner).get_heads()) <= 1
