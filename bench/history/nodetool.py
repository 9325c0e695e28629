"""What only nodetool can do: flush, major compaction, bytes on disk. About two seconds per call."""

import json
import subprocess

from infra.local import jars, preflight
from infra.local.cassandra import EXPORTS, OPENS
from infra.runtime.settings import Port, Settings


def flush(settings: Settings, *keyspaces: str) -> None:
    for keyspace in keyspaces:
        _nodetool(settings, "flush", keyspace)


def compact(settings: Settings, keyspace: str) -> None:
    """Every table into as few files as its strategy keeps."""
    _nodetool(settings, "compact", keyspace)


def bytes_on_disk(settings: Settings, keyspace: str) -> dict[str, int]:
    """By table: all files of the live SSTables, indexes and filters included."""
    answer = json.loads(_nodetool(settings, "tablestats", "-F", "json", keyspace))
    tables = answer[keyspace]["tables"]
    return {name: int(table["space_used_live"]) for name, table in tables.items()}


def _nodetool(settings: Settings, *arguments: str) -> str:
    command = [
        preflight.java(),
        *("-Xmx128m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"),  # it lives for a second
        f"-Dlogback.configurationFile=file://{settings.folder}/cassandra/logback.xml",
        *(f"--add-exports={package}=ALL-UNNAMED" for package in EXPORTS),
        *(f"--add-opens={package}=ALL-UNNAMED" for package in OPENS),
        *("-cp", f"{jars.folder(settings.home, 'cassandra')}/*", "org.apache.cassandra.tools.NodeTool"),
        *("-p", str(settings.port(Port.CASSANDRA_JMX))),
    ]
    done = subprocess.run([*command, *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"nodetool {' '.join(arguments)}: {done.stdout}{done.stderr}")
    return done.stdout
