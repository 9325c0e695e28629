"""What the stack requires of the machine: Java, Maven, free disk, free ports. Each StackError is one line."""

import contextlib
import os
import re
import shutil
import socket
import subprocess
from pathlib import Path

import psutil

from infra.local.program import LOOPBACK, StackError

JAVA_VERSIONS = range(17, 24)  # Cassandra 5.0 needs the security manager, which Java 24 removed
FREE_DISK = 2 * 2**30


def java() -> str:
    """The Java program of JAVA_HOME, else the one on PATH."""
    home = os.environ.get("JAVA_HOME")
    return str(Path(home, "bin", "java")) if home else shutil.which("java") or "java"


def require_java() -> None:
    try:
        output = subprocess.run([java(), "-version"], capture_output=True, text=True, check=True).stderr
    except (OSError, subprocess.CalledProcessError):
        raise StackError(
            f"Java 17 is missing ({java()} does not run): apt-get install openjdk-17-jre-headless, or set JAVA_HOME"
        ) from None
    found = re.search(r'version "(\d+)', output)
    if not found or int(found[1]) not in JAVA_VERSIONS:
        raise StackError(
            f"Java 17 is required, {java()} is {found[1] if found else 'unknown'}: set JAVA_HOME to a Java 17"
        )


def require_maven() -> None:
    if not shutil.which("mvn"):
        raise StackError("Maven is missing (it downloads the backends once): apt-get install maven")


def require_disk(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(folder).free
    if free < FREE_DISK:
        raise StackError(
            f"only {free / 2**30:.1f} GiB free under {folder}, the stack needs {FREE_DISK / 2**30:.0f} GiB: "
            "free some space, `playhead wipe`, or set PLAYHEAD_HOME to another disk"
        )


def require_free_port(port: int, wanted_by: str, address: str = LOOPBACK) -> None:
    if is_taken(port, address):
        raise StackError(
            f"port {port} is taken by {port_holder(port, address)}, {wanted_by} needs it: "
            "stop that process, or set PLAYHEAD_PORT_BASE to another block"
        )


def is_taken(port: int, address: str = LOOPBACK) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
        except OSError:
            return True
    return False


def port_holder(port: int, address: str = LOOPBACK) -> str:
    """The process that listens on the port, if this user may see it."""
    ours = [(each, port) for each in (address, "0.0.0.0", "::")]
    for connection in psutil.net_connections("inet"):
        if connection.status == psutil.CONN_LISTEN and connection.laddr in ours and connection.pid:
            with contextlib.suppress(psutil.NoSuchProcess):
                return f"process {connection.pid} ({psutil.Process(connection.pid).name()})"
    return "another process"
