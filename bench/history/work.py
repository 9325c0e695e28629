"""What Cassandra's own compactions cost: bytes as it remembers them, CPU as the kernel counts it for their threads."""

import os
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from cassandra.cluster import Session

TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")
THREADS = "CompactionExec"
"""Their names begin so; Linux keeps fifteen characters."""
PAXOS = ("system", "paxos")
QUIET_S = 1.0


@dataclass(frozen=True, slots=True)
class Work:
    rewritten: Counter[str]
    """Bytes that compactions wrote, by each table that the way of keeping uses."""
    compaction_cpu_s: float
    cpu_s: float
    """Of the whole process."""

    def since(self, before: "Work") -> "Work":
        return Work(
            self.rewritten - before.rewritten,
            self.compaction_cpu_s - before.compaction_cpu_s,
            self.cpu_s - before.cpu_s,
        )


class Meter:
    """Of a Cassandra on this machine."""

    def __init__(self, session: Session, pid: int) -> None:
        self._session = session
        self._process = Path(f"/proc/{pid}")
        self._ticks: dict[str, int] = {}

    def read(self, keyspace: str) -> Work:
        """So far: the bytes are those of a keyspace's tables and of Paxos; what is under way is awaited."""
        self._settle()
        query = "SELECT keyspace_name, columnfamily_name, bytes_out FROM system.compaction_history"
        rewritten: Counter[str] = Counter()
        for row in self._session.execute(query):
            if row.keyspace_name == keyspace or (row.keyspace_name, row.columnfamily_name) == PAXOS:
                rewritten[row.columnfamily_name] += row.bytes_out
        for thread in (self._process / "task").iterdir():  # one that has ended keeps its last count
            if (thread / "comm").read_text().startswith(THREADS):
                self._ticks[thread.name] = _ticks(thread)
        compacting = sum(self._ticks.values()) / TICKS_A_SECOND
        return Work(rewritten, compacting, _ticks(self._process) / TICKS_A_SECOND)

    def _settle(self) -> None:
        """Until no compaction has been seen for a second."""
        quiet_at = time.monotonic() + QUIET_S
        while time.monotonic() < quiet_at:
            if self._session.execute("SELECT kind FROM system_views.sstable_tasks").all():
                quiet_at = time.monotonic() + QUIET_S
            time.sleep(0.1)


def _ticks(entry: Path) -> int:
    """Time on a processor, of a process or a thread."""
    fields = (entry / "stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])
