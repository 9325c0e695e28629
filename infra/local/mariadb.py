"""MariaDB, out of a Maven package. A node is ready when it greets a client."""

import dataclasses
import getpass
import os
import shutil
import socket
import subprocess
from pathlib import Path

from infra.engines.mariadb_nodes import keys_folder
from infra.local import jars, mariadb_cluster, mariadb_keys, nodes, preflight, template
from infra.local.program import Program, StackError
from infra.runtime.settings import LOCAL_NODES, Port, Settings

PACKAGE = "mariadb"
SYSTEM_TABLES = ("mariadb_system_tables.sql", "mariadb_performance_tables.sql", "mariadb_system_tables_data.sql")
GREETING = 10
"""Version of the protocol, the first byte of a server's first packet after the packet's own four."""


def programs(settings: Settings) -> tuple[Program, ...]:
    return tuple(_node(settings, node) for node in range(settings.mariadb_nodes))


def _node(settings: Settings, node: int) -> Program:
    server = _server(settings, node)
    if settings.mariadb_nodes > 1:
        launch = mariadb_cluster.launch(_folder(settings, node), server.command)
        group = settings.port(Port.MARIADB_GROUP)
        server = dataclasses.replace(server, command=launch, ports=(*server.ports, group))
    return dataclasses.replace(
        server,
        configure=lambda: _configure(settings, node),
        wait_for_peers=lambda: mariadb_cluster.wait_for_peers(settings),
    )


def _server(settings: Settings, node: int) -> Program:
    """A node's server, once it is configured."""
    host, port = LOCAL_NODES[node], settings.port(Port.MARIADB)
    programs = jars.folder(settings.home, PACKAGE) / "bin"
    return Program(
        name=nodes.name("mariadb", node, settings.mariadb_nodes),
        command=(str(programs / "mariadbd"), f"--defaults-file={_folder(settings, node)}/mariadb.cnf", *_user()),
        ports=(port,),
        host=host,
        is_ready=lambda: _greets(host, port),
        environment=mariadb_cluster.environment(settings.home, programs) if settings.mariadb_nodes > 1 else {},
        package=PACKAGE,
    )


def _folder(settings: Settings, node: int) -> Path:
    return settings.folder / nodes.name("mariadb", node, settings.mariadb_nodes)


def _configure(settings: Settings, node: int) -> None:
    """All nodes of a cluster that are about to start are configured before the first of them starts."""
    mariadb_keys.make(settings)
    _write_configuration(settings, node)
    every = range(settings.mariadb_nodes)
    folders = [_folder(settings, each) for each in every]
    make_system_tables(jars.folder(settings.home, PACKAGE), folders[0] / "data")
    if settings.mariadb_nodes > 1:
        mariadb_cluster.share_tables(folders, _server(settings, 0))
        running = any(map(preflight.is_taken, (settings.port(Port.MARIADB_GROUP),) * len(every), LOCAL_NODES))
        commands = [(*_server(settings, each).command, "--wsrep-recover") for each in every]
        mariadb_cluster.choose_first(dict(zip(folders, commands, strict=True)), running=running)


def _write_configuration(settings: Settings, node: int) -> None:
    folder = _folder(settings, node)
    folder.mkdir(parents=True, exist_ok=True)
    users = folder / "users.sql"
    users.touch(mode=0o600)
    users.write_text(mariadb_keys.users(settings))
    include = ""
    if settings.mariadb_nodes > 1:
        mariadb_cluster.write_configuration(settings, node, folder)
        include = f"!include {folder}/galera.cnf"
    template.write(
        "mariadb.cnf",
        folder / "mariadb.cnf",
        host=LOCAL_NODES[node],
        port=settings.port(Port.MARIADB),
        folder=folder,
        package=jars.folder(settings.home, PACKAGE),
        keys=keys_folder(settings),
        cluster=include,
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
