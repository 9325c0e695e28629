"""MariaDB, out of a Maven package. A node is ready when it greets a client."""

import getpass
import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

from infra.engines.mariadb_nodes import keys_folder
from infra.local import jars, mariadb_keys, template
from infra.local.program import LOOPBACK, Program, StackError
from infra.runtime.settings import Port, Settings

PACKAGE = "mariadb"
SYSTEM_TABLES = ("mariadb_system_tables.sql", "mariadb_performance_tables.sql", "mariadb_system_tables_data.sql")
GREETING = 10
"""Version of the protocol, the first byte of a server's first packet after the packet's own four."""


def programs(settings: Settings) -> Iterator[Program]:
    yield _node(settings)


def _node(settings: Settings) -> Program:
    folder, port = settings.folder / "mariadb", settings.port(Port.MARIADB)
    package = jars.folder(settings.home, PACKAGE)

    def configure() -> None:
        mariadb_keys.make(settings)
        users = folder / "users.sql"
        folder.mkdir(parents=True, exist_ok=True)
        users.touch(mode=0o600)
        users.write_text(mariadb_keys.users(settings))
        template.write(
            "mariadb.cnf",
            folder / "mariadb.cnf",
            host=LOOPBACK,
            port=port,
            folder=folder,
            package=package,
            keys=keys_folder(settings),
            cluster="",
        )
        make_system_tables(package, folder / "data")

    return Program(
        name="mariadb",
        command=(str(package / "bin" / "mariadbd"), f"--defaults-file={folder}/mariadb.cnf", *_user()),
        ports=(port,),
        is_ready=lambda: _greets(LOOPBACK, port),
        configure=configure,
        package=PACKAGE,
    )


def make_system_tables(package: Path, data: Path) -> None:
    """A data folder with the tables that every server has, unless it exists. It appears whole."""
    if data.exists():
        return
    fresh = data.with_name("fresh")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True)
    share = package / "share"
    sql = [
        "CREATE DATABASE IF NOT EXISTS mysql;",
        "USE mysql;",
        # The only administrator is who started the stack, by its socket; without this, anybody on the machine.
        f"SET @auth_root_socket = '{getpass.getuser()}';",
        *((share / name).read_text() for name in SYSTEM_TABLES),
    ]
    command = [str(package / "bin" / "mariadbd"), "--no-defaults", "--bootstrap", f"--datadir={fresh}", *_user()]
    run = subprocess.run(
        [*command, f"--lc-messages-dir={share}", "--log-warnings=0"],
        input="\n".join(sql),
        capture_output=True,
        text=True,
    )
    if run.returncode:
        reason = (run.stderr.strip().splitlines() or [f"exit code {run.returncode}"])[-1]
        raise StackError(f"MariaDB cannot make its system tables: {reason}")
    fresh.rename(data)


def _user() -> tuple[str, ...]:
    """mariadbd runs as root only when told to."""
    return ("--user=root",) if os.geteuid() == 0 else ()


def _greets(host: str, port: int) -> bool:
    with socket.create_connection((host, port), timeout=2) as connection:
        packet = connection.recv(5)
    return len(packet) == 5 and packet[4] == GREETING
