"""Dumps of the services' schemas, and the way back from one. The programs are MariaDB's own."""

import asyncio
import gzip
import os
import select
import subprocess
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from io import BufferedIOBase
from itertools import chain
from pathlib import Path
from typing import IO

from domain.processes import Owner
from infra.engines.mariadb_nodes import Access, access, writing_host
from infra.engines.unfinished_restores import mark
from infra.local import jars
from infra.local.program import StackError
from infra.runtime.settings import Settings

LAST_LINE = b"-- Dump completed"
SILENT_S = 60.0
"""A node that neither sends nor takes anything for this long hangs. Its client would wait for ever."""
LOCK_WAIT_S = 30
"""For a table that somebody else uses: less, so that the server says so."""
LEFT_S = 3600
"""A part of a dump that nobody has written to for this long was left by one that was killed."""
PIPE_BYTES = 64 * 1024


def folder(settings: Settings) -> Path:
    """Where dumps are, unless a command names another place."""
    return settings.folder / "dumps"


def dump(settings: Settings, owner: Owner, into: Path, at: datetime) -> Path:
    """One moment of a schema, as ``<into>/<owner>/<at>.sql.gz``, which only its owner may read. It blocks nobody.

    StackError if no node gives a whole one. A node that hangs is passed over.
    """
    given = access(settings, owner)
    target = into / owner / f"{at.astimezone(UTC):%Y%m%dT%H%M%SZ}.sql.gz"
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    remove_left(target.parent, at)
    reasons = []
    for host in reversed(given.hosts):  # readers first
        part = target.with_suffix(".part")
        part.touch(mode=0o600)
        reason = _dump(settings, given, host, part)
        if not reason:
            part.rename(target)
            return target
        part.unlink()
        reasons.append(f"{host}: {reason}")
    raise StackError(f"MariaDB gives no dump of {owner}: {'; '.join(reasons)}")


def newest(owner: Owner, found: Path) -> Path:
    """The newest dump of a service. StackError if there is none."""
    dumps = sorted((found / owner).glob("*.sql.gz"))
    if not dumps:
        raise StackError(f"no dump of {owner} in {found}: run `playhead database dump`")
    return dumps[-1]


def forget(owner: Owner, found: Path, keep: int) -> Sequence[Path]:
    """Delete all but the newest dumps of a service; returns what is gone."""
    old = sorted((found / owner).glob("*.sql.gz"))[:-keep]
    for file in old:
        file.unlink()
    return old


def remove_left(found: Path, at: datetime) -> None:
    """Parts of dumps that were killed. One that is being written stays."""
    for part in found.glob("*.part"):
        if at.timestamp() - part.stat().st_mtime > LEFT_S:
            part.unlink(missing_ok=True)


def load(settings: Settings, owner: Owner, file: Path) -> None:
    """Replace all tables of a schema by those of a dump, and mark the restore as unfinished before the first is gone.

    StackError if the dump is not whole, MariaDB refuses it, or its node hangs. TransientError if no node takes writes.
    """
    try:
        with gzip.open(file) as packed:
            whole = any(LAST_LINE in line for line in packed)
    except (OSError, EOFError) as error:
        raise StackError(f"{file} cannot be read: {error}") from None
    if not whole:
        raise StackError(f"{file} is not a whole dump: choose another one")
    given = access(settings, owner)
    host = asyncio.run(writing_host(given))
    drop_all = _drop_all(settings, given, host)
    mark(settings, owner)
    patience = f"--init-command=SET lock_wait_timeout = {LOCK_WAIT_S}"
    with _client(settings, "mariadb", given, host, patience, given.user) as client, gzip.open(file) as packed:
        assert client.stderr
        if not feed(client, chain([drop_all], iter(partial(packed.read, PIPE_BYTES), b""))):
            raise StackError(_hangs(host, f"while it took {file}"))
        if client.returncode:
            reason = client.stderr.read().decode(errors="replace").strip()
            raise StackError(f"MariaDB did not take {file}: {reason}")


def _dump(settings: Settings, given: Access, host: str, part: Path) -> str:
    """Why there is no dump; empty: ``part`` is whole."""
    options = ("--single-transaction", "--no-tablespaces", "--skip-lock-tables", "--hex-blob", given.user)
    with _client(settings, "mariadb-dump", given, host, *options) as client, gzip.open(part, "wb") as packed:
        assert client.stdout
        assert client.stderr
        if not copy(client.stdout, packed):
            client.kill()
            return f"silent for {SILENT_S:g} s"
        reason = client.stderr.read().decode(errors="replace").strip()
        return (reason or f"exit code {client.returncode}") if client.wait() else ""


def copy(source: IO[bytes], target: BufferedIOBase) -> bool:
    """Whether all of it came, however long that took. It ends when nothing comes for ``SILENT_S``."""
    while select.select([source], [], [], SILENT_S)[0]:
        part = os.read(source.fileno(), PIPE_BYTES)
        if not part:
            return True
        target.write(part)
    return False


def feed(client: "subprocess.Popen[bytes]", parts: Iterable[bytes]) -> bool:
    """Whether the program took all parts and ended, or ended before. It is killed when it takes nothing for
    ``SILENT_S``. What it writes meanwhile must fit into its pipes."""
    assert client.stdin
    pipe = client.stdin.fileno()
    os.set_blocking(pipe, False)
    try:
        for part in parts:
            rest = memoryview(part)
            while rest:
                if not select.select([], [pipe], [], SILENT_S)[1]:
                    client.kill()
                    return False
                rest = rest[os.write(pipe, rest) :]
    except BrokenPipeError:  # its own message says why
        pass
    client.stdin.close()
    try:
        client.wait(SILENT_S)
    except subprocess.TimeoutExpired:
        client.kill()
        return False
    return True


def _hangs(host: str, when: str) -> str:
    return (
        f"MariaDB at {host} took nothing for {SILENT_S:g} s {when}: it hangs. Restart it, and run this command again;"
        " another node is asked if it stays away."
    )


def _drop_all(settings: Settings, given: Access, host: str) -> bytes:
    """SQL that leaves no table of now, also none that the dump does not know."""
    listing = f"SELECT table_name FROM information_schema.tables WHERE table_schema = '{given.user}'"
    options = ("--batch", "--skip-column-names", f"--execute={listing}")
    with _client(settings, "mariadb", given, host, *options) as client:
        try:
            tables, reason = client.communicate(timeout=SILENT_S)
        except subprocess.TimeoutExpired:
            client.kill()
            raise StackError(_hangs(host, "before anything was replaced")) from None
        if client.returncode:
            raise StackError(f"MariaDB does not list its tables: {reason.decode(errors='replace').strip()}")
    return b"".join(b"DROP TABLE `%s`;\n" % name for name in tables.split())


@contextmanager
def _client(
    settings: Settings, program: str, given: Access, host: str, *options: str
) -> "Iterator[subprocess.Popen[bytes]]":
    jars.fetch(settings.home, "mariadb")
    tls = (f"--ssl-ca={given.ca_file}", "--ssl-verify-server-cert") if given.ca_file else ("--skip-ssl",)
    home = jars.folder(settings.home, "mariadb")
    command = (
        str(home / "bin" / program),
        "--no-defaults",
        *tls,
        f"--character-sets-dir={home / 'share' / 'charsets'}",
        "--default-character-set=utf8mb4",
        f"--host={host}",
        f"--port={given.port}",
        f"--user={given.user}",
        *options,
    )
    pipe = subprocess.PIPE
    environment = os.environ | {"MYSQL_PWD": given.password}  # arguments are anybody's to read
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, env=environment) as client:
        yield client
