"""Migrate Cassandra's tables: apply each numbered file of ``infra/migrations/cassandra/`` once.

Every applied file is recorded with its hash. A lock row that expires allows one runner at a time.
"""

import hashlib
import re
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from string import Template

from cassandra.cluster import Session

from infra.engines.cassandra import close, connect, translate
from infra.local.program import StackError
from infra.runtime.settings import Settings

FOLDER = Path(__file__).parent / "migrations" / "cassandra"
SCHEMA_CHANGE_S = 60.0
LOCK_S = 120
"""Longer than any file takes. A killed runner blocks the next one for this long at most."""


def migrate(settings: Settings, folder: Path = FOLDER) -> list[str]:
    """Apply missing files; returns their names. StackError if an applied file has changed. TransientError."""
    session = connect(settings, in_keyspace=False)
    try:
        replication = str({"class": "NetworkTopologyStrategy", settings.cassandra_datacenter: settings.replicas})
        session.execute(f"CREATE KEYSPACE IF NOT EXISTS {settings.cassandra_keyspace} WITH replication = {replication}")
        session.set_keyspace(settings.cassandra_keyspace)
        session.execute(
            "CREATE TABLE IF NOT EXISTS migrations (name text PRIMARY KEY, sha256 text, applied_at timestamp)"
        )
        session.execute("CREATE TABLE IF NOT EXISTS migration_lock (id int PRIMARY KEY, owner uuid)")
        values = {"keyspace": settings.cassandra_keyspace, "replication": replication}
        with _lock(session):
            applied = {row.name: row.sha256 for row in session.execute("SELECT name, sha256 FROM migrations")}
            return [file.name for file in sorted(folder.glob("[0-9]*.cql")) if _apply(session, file, values, applied)]
    except Exception as error:
        raise translate(error) from error
    finally:
        close(session)


def statements(cql: str) -> list[str]:
    """Single statements of a file: without ``--`` comments, split at a semicolon that ends a line."""
    text = re.sub(r"--.*", "", cql)
    return [statement.strip() for statement in re.split(r";[ \t]*(?:\n|$)", text) if statement.strip()]


def _apply(session: Session, file: Path, values: dict[str, str], applied: dict[str, str]) -> bool:
    text = file.read_text()
    sha256 = hashlib.sha256(text.encode()).hexdigest()
    if file.name in applied:
        if applied[file.name] != sha256:
            raise StackError(f"{file.name} has changed since it was applied: undo the change and add a new file")
        return False
    for statement in statements(Template(text).substitute(values)):
        session.execute(statement, timeout=SCHEMA_CHANGE_S)
    insert = "INSERT INTO migrations (name, sha256, applied_at) VALUES (%s, %s, toTimestamp(now()))"
    session.execute(insert, (file.name, sha256))
    return True


@contextmanager
def _lock(session: Session) -> Iterator[None]:
    owner = uuid.uuid4()
    take = f"INSERT INTO migration_lock (id, owner) VALUES (1, %s) IF NOT EXISTS USING TTL {LOCK_S}"
    while not session.execute(take, (owner,)).one().applied:
        time.sleep(0.2)
    try:
        yield
    finally:
        session.execute("DELETE FROM migration_lock WHERE id = 1 IF owner = %s", (owner,))
