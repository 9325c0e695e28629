"""Local MariaDB nodes as one Galera cluster: its programs, which node begins, and when all nodes see each other."""

import asyncio
import operator
import os
import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from tenacity import (
    RetryError,
    Retrying,
    retry_if_exception_type,
    retry_if_result,
    stop_after_delay,
    wait_fixed,
)

from domain.processes import OWNERS
from infra.engines.mariadb_nodes import access, cluster_size
from infra.local import debian, packages, template
from infra.local.program import Program, StackError
from infra.runtime.settings import LOCAL_NODES, Port, Settings
from schemas.errors import TransientError

PACKAGE = "galera"
DEBIAN_PACKAGES = ("galera-4", "mariadb-server", "rsync", "libpopt0", "libxxhash0")
"""The provider; the scripts that copy a whole node, and what they run."""
WANTED = ("lib/libgalera_smm.so", "lib/x86_64-linux-gnu", "bin/rsync", "bin/wsrep_sst_*")
"""Of these packages, below ``usr``."""
STATE = "grastate.dat"
"""In a data folder: which cluster's it is, and the number of its last transaction if it ended in order."""
BEGINS = "begins"
"""A file in the folder of the node that begins."""
PEERS_WITHIN_S = 180
UNKNOWN = -1
LAUNCH = """\
pid=$(cat "${0%/*}/data/rsync_sst.pid" 2>/dev/null) && grep -q rsync_sst "/proc/$pid/cmdline" && kill -9 "$pid"
position=$("$@" --wsrep-recover 2>&1 | sed -n 's/.*Recovered position: *//p' | tail -n 1)
case $position in "" | 00000000-*) ;; *) set -- "$@" "--wsrep-start-position=$position" ;; esac
rm "$0" 2>/dev/null && set -- "$@" --wsrep-new-cluster
exec "$@"
"""
"""Starts a node where its data end. ``$0`` is the file that says that this node begins. It counts once: a node that is
started again must join the others. One that died while it was given a copy has left rsync's daemon, at its port."""
RSYNC = """\
#!/bin/sh
[ "$1 $(id -u)" = "--daemon 0" ] && set -- "$@" --dparam=uid=0 --dparam=gid=0
exec "${0%/*}/real/rsync" "$@"
"""
"""rsync's daemon that root starts would write as ``nobody``, who cannot reach the data folder."""


def fetch(home: Path) -> Path:
    """The folder of Galera's programs."""
    return packages.fetch(home, PACKAGE, " ".join(DEBIAN_PACKAGES), _unpack)


def is_fetched(home: Path) -> bool:
    return packages.is_fetched(home, PACKAGE, " ".join(DEBIAN_PACKAGES))


def write_configuration(settings: Settings, node: int, folder: Path) -> None:
    group = settings.port(Port.MARIADB_GROUP)
    template.write(
        "galera.cnf",
        folder / "galera.cnf",
        galera=packages.folder(settings.home, PACKAGE),
        stack=settings.stack,
        members=",".join(f"{address}:{group}" for address in LOCAL_NODES),
        name=folder.name,
        host=LOCAL_NODES[node],
        group_port=group,
        catch_up_port=settings.port(Port.MARIADB_CATCH_UP),
        copy_port=settings.port(Port.MARIADB_COPY),
    )


def launch(folder: Path, command: Sequence[str]) -> tuple[str, ...]:
    """The command that starts a node at which ``command`` alone would start a server."""
    return ("/bin/sh", "-c", LAUNCH, str(folder / BEGINS), *command)


def environment(home: Path, programs: Path) -> Mapping[str, str]:
    """Where a node finds what Galera runs. ``programs``: MariaDB's own."""
    galera = packages.folder(home, PACKAGE) / "usr"
    return {
        "PATH": f"{programs}:{galera}/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "LD_LIBRARY_PATH": f"{galera}/lib/x86_64-linux-gnu",
    }


def share_tables(folders: Sequence[Path], seed: Program) -> None:
    """Give the nodes of a new cluster the same tables, in a state in which each may join the others.

    ``seed``: the first node. It begins a cluster alone, ends, and its data folder is copied. Otherwise each other node
    would have to get a whole copy from it when it joins. So does any node that has lost its data in a cluster that has
    begun.
    """
    every = first, *others = [folder / "data" for folder in folders]
    if any((data / STATE).exists() for data in every):
        for data in every:
            data.mkdir(parents=True, exist_ok=True)
        return
    run = subprocess.Popen(
        [*seed.command, "--wsrep-new-cluster"],
        env=os.environ | seed.environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    wait = Retrying(retry=retry_if_exception_type(OSError) | retry_if_result(operator.not_), wait=wait_fixed(0.1))
    try:
        wait(lambda: run.poll() is not None or seed.is_ready())
    finally:
        run.terminate()
        run.wait()
    for other in others:
        shutil.rmtree(other, ignore_errors=True)
        shutil.copytree(first, other)


def choose_first(nodes: Mapping[Path, Sequence[str]], *, running: bool) -> None:
    """Mark the node that has seen most as the one that begins, unless one is ``running``, which the others join.

    ``nodes``: the folder of each, and the command that prints where its data end.
    """
    marks = [node / BEGINS for node in nodes]
    if running:
        for mark in marks:
            mark.unlink(missing_ok=True)
    elif not any(mark.exists() for mark in marks):
        first = max(nodes, key=lambda node: _position(node, nodes[node]))
        for node in nodes:
            (node / "data" / "gvwstate.dat").unlink(missing_ok=True)  # whom they saw when they were killed
        state = first / "data" / STATE
        state.write_text(state.read_text().replace("safe_to_bootstrap: 0", "safe_to_bootstrap: 1"))
        (first / BEGINS).touch()


def _position(node: Path, recover: Sequence[str]) -> int:
    """Number of the last transaction that a node has."""
    state = node / "data" / STATE
    if not state.exists():
        return UNKNOWN
    if found := re.search(r"^seqno: *(\d+)$", state.read_text(), re.MULTILINE):
        return int(found[1])
    run = subprocess.run(recover, capture_output=True, text=True)
    killed = re.search(r"Recovered position: *[0-9a-f-]+:(\d+)", run.stderr)
    return int(killed[1]) if killed else UNKNOWN


def wait_for_peers(settings: Settings) -> None:
    """Return once every node sees all others."""
    if settings.mariadb_nodes == 1:
        return
    retry = Retrying(
        retry=retry_if_exception_type(TransientError), wait=wait_fixed(0.2), stop=stop_after_delay(PEERS_WITHIN_S)
    )
    try:
        retry(_require_all_peers, settings)
    except RetryError as error:
        raise StackError(
            f"MariaDB nodes do not see each other after {PEERS_WITHIN_S} s: see `playhead logs mariadb` "
            f"({error.last_attempt.exception()})"
        ) from None


def _require_all_peers(settings: Settings) -> None:
    given = access(settings, OWNERS[0])
    for host in given.hosts:
        if asyncio.run(cluster_size(given, host)) < len(given.hosts):
            raise TransientError(f"MariaDB: {host} does not see all nodes")


def _unpack(target: Path) -> None:
    instead = "use a machine with apt, or one node (PLAYHEAD_MARIADB_NODES=1)"
    whole = target / "whole"
    debian.unpack(whole, DEBIAN_PACKAGES, "Galera's programs are", instead)
    for each in WANTED:
        for found in (whole / "usr").glob(each):
            kept = target / "usr" / found.relative_to(whole / "usr")
            kept.parent.mkdir(parents=True, exist_ok=True)
            found.rename(kept)
    shutil.rmtree(whole)
    rsync = target / "usr" / "bin" / "rsync"
    (rsync.parent / "real").mkdir()
    rsync.rename(rsync.parent / "real" / "rsync")
    rsync.write_text(RSYNC)
    rsync.chmod(0o755)
