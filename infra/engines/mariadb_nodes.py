"""MariaDB's nodes: as whom a service connects, and to which of them."""

import asyncio
import hashlib
import hmac
import logging
import random
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal

import asyncmy
from asyncmy.constants import CLIENT
from asyncmy.errors import MySQLError

from domain.processes import Owner
from infra.engines.certificates import untrusted
from infra.runtime.settings import Settings
from schemas.errors import AccessDenied, TransientError

CONNECT_WITHIN_S = 2.0
"""A node that takes longer hangs, and the next one is asked."""
ANSWER_WITHIN_S = 5.0
LOCK_WAIT_S = 3
"""Shorter than ``ANSWER_WITHIN_S``: the server says that a lock was not free, and keeps the connection."""
DENIED = (1044, 1045, 1049, 1698)
"""No access to the schema, wrong user or password, no such schema, no such user."""
NOT_PREPARED = 1047
"""Mostly already at the connection's first statement."""
NOT_PRIMARY = "not Primary"

Role = Literal["writer", "reader"]


@dataclass(frozen=True, slots=True)
class Access:
    """A service's access to its schema."""

    hosts: Sequence[str]
    port: int
    user: str
    """Also the name of the schema."""
    password: str
    ca_file: Path | None
    """None: no TLS."""


def keys_folder(settings: Settings) -> Path:
    """Where the local MariaDB's certificate and secret are."""
    return settings.folder / "mariadb-keys"


def access(settings: Settings, owner: Owner) -> Access:
    """TransientError when a local MariaDB has never been started."""
    user = f"{settings.mariadb_prefix}{owner}"
    ca_file = settings.mariadb_ca_file
    if settings.local_mariadb:
        keys = keys_folder(settings)
        try:
            secret = (keys / "secret").read_bytes()
        except FileNotFoundError:
            raise TransientError("MariaDB has not been started yet") from None
        password, ca_file = local_password(secret, user), keys / "certificate.pem"
    else:
        given = settings.mariadb_passwords.get(owner)
        password = given.get_secret_value() if given else ""
    return Access(settings.mariadb, settings.sql_port, user, password, ca_file)


def local_password(secret: bytes, user: str) -> str:
    """One secret of the stack gives each user another password."""
    return hmac.new(secret, user.encode(), hashlib.sha256).hexdigest()


# It logs what the server notes about a statement, such as a row that INSERT IGNORE found.
logging.getLogger("asyncmy").setLevel(logging.ERROR)


async def open_connection(given: Access, role: Role) -> Any:
    """A driver's connection to the first node that may do it. TransientError if there is none, AccessDenied."""
    return (await _open(given, role))[1]


async def writing_host(given: Access) -> str:
    """The node that takes writes. TransientError if there is none, AccessDenied."""
    host, connection = await _open(given, "writer")
    connection.close()
    return host


async def _open(given: Access, role: Role) -> tuple[str, Any]:
    """The node, and a connection to it."""
    first, *others = given.hosts
    hosts = (first, *others) if role == "writer" else (*random.sample(others, len(others)), first)
    reasons = []
    for host in hosts:
        try:
            async with asyncio.timeout(CONNECT_WITHIN_S):
                connection = await _connect(given, host)
                refusal = await _prepare(connection, role, alone=not others)
        except (MySQLError, OSError, EOFError) as error:  # a TimeoutError is an OSError
            refusal = _describe(error)
        else:
            if not refusal:
                connection.ensure_closed = partial(_close, connection)
                return host, connection
            connection.close()
        reasons.append(f"{host}: {refusal}")
    raise TransientError(f"MariaDB: no node answers a {role} ({'; '.join(reasons)})")


async def _connect(given: Access, host: str) -> Any:
    try:
        return await asyncmy.connect(
            host=host,
            port=given.port,
            user=given.user,
            password=given.password,
            database=given.user,
            ssl=ssl.create_default_context(cafile=str(given.ca_file)) if given.ca_file else None,
            client_flag=CLIENT.FOUND_ROWS,  # an UPDATE counts the rows it found, as SQLAlchemy expects
            connect_timeout=CONNECT_WITHIN_S,
            read_timeout=ANSWER_WITHIN_S,
            init_command=f"SET time_zone = '+00:00', innodb_lock_wait_timeout = {LOCK_WAIT_S}",
        )
    except MySQLError as error:
        if denied := _access_denied(error):
            raise denied from error
        raise


def _access_denied(error: MySQLError) -> AccessDenied | None:
    if error.args[0] in DENIED:
        return AccessDenied(
            f"MariaDB denies access: check PLAYHEAD_MARIADB_PASSWORDS and PLAYHEAD_MARIADB_PREFIX ({error})"
        )
    return untrusted("MariaDB", "PLAYHEAD_MARIADB_CA_FILE", "PLAYHEAD_MARIADB_HOSTS names that are", error)


async def _prepare(connection: Any, role: Role, *, alone: bool) -> str:
    """Why this node may not be used; empty: it may, and the session is prepared.

    A node of a cluster that has no majority still accepts connections. A replica elsewhere is read-only, and nothing in
    it says how old its answers are.
    """
    variables = await _rows(connection, "SHOW GLOBAL VARIABLES WHERE Variable_name IN ('read_only', 'wsrep_on')")
    clustered = variables.get("wsrep_on") == "ON"
    if clustered and (await _rows(connection, "SHOW GLOBAL STATUS LIKE 'wsrep_ready'"))["wsrep_ready"] != "ON":
        return NOT_PRIMARY
    read_only = variables["read_only"] == "ON"
    if role == "writer":
        return "read-only" if read_only else ""
    if read_only and not clustered and not alone:
        return "a replica, which may be behind"
    async with connection.cursor() as cursor:
        if clustered:  # a read waits until its node has applied what was committed before it
            await cursor.execute("SET SESSION wsrep_sync_wait = 1")
        await cursor.execute("SET SESSION TRANSACTION READ ONLY")
    return ""


async def cluster_size(given: Access, host: str) -> int:
    """How many nodes this one sees; 0 while it is not Primary. TransientError, AccessDenied."""
    try:
        async with asyncio.timeout(CONNECT_WITHIN_S):
            connection = await _connect(given, host)
            status = await _rows(
                connection, "SHOW GLOBAL STATUS WHERE Variable_name IN ('wsrep_ready', 'wsrep_cluster_size')"
            )
            connection.close()
    except (MySQLError, OSError, EOFError) as error:
        raise TransientError(f"MariaDB: {host}: {_describe(error)}") from error
    return int(status["wsrep_cluster_size"]) if status["wsrep_ready"] == "ON" else 0


async def _close(connection: Any) -> None:
    """The driver's own farewell waits half a minute for a node that hangs."""
    connection.close()


async def _rows(connection: Any, statement: str) -> dict[str, str]:
    async with connection.cursor() as cursor:
        await cursor.execute(statement)
        return dict(await cursor.fetchall())


def _describe(error: Exception) -> str:
    if isinstance(error, MySQLError) and error.args[0] == NOT_PREPARED:
        return NOT_PRIMARY
    return "no answer in time" if isinstance(error, TimeoutError) else str(error)
