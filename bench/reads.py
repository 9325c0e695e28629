"""``make bench-reads``: what a page and a bounded read decode of a history, and their CPU time. Needs no engine.

The stores are in memory, so only the reader is measured: choosing chunks, decoding, merging. Each pair of lines
compares a read with the one it replaced. Counts are exact; times are the median of some rounds on one core.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from statistics import median
from typing import Any

import typer
from rich.console import Console
from rich.table import Table

from bench.history.members import Copies, Records, simulated
from bench.history.stores import NOW, Counted
from domain.history import reading
from domain.history.compaction import Compactor
from domain.history.reading import HistoryReader
from domain.history.rollup import RollUpRules
from infra.runtime import logs
from tests.support.fake_history import FakeCompressedVH, FakeLiveVH

ROUNDS = 40
PAGE = 20
ORIGINAL = 2_500
"""Sessions of the member whose history the longer ones repeat: more than a chunk holds."""
SIZES = (500, 20_000)


@dataclass(frozen=True, slots=True)
class Read:
    name: str
    ask: Callable[[HistoryReader, str], Awaitable[Any]]


READS = (
    Read(f"page of {PAGE}, one session more as proof of a next page", lambda at, who: at.page(who, PAGE + 1)),
    Read(f"page of {PAGE}", lambda at, who: at.page(who, PAGE)),
    Read("continue watching, whole history", lambda at, who: at.read_all(who)),
    Read(f"continue watching, newest {reading.RECENT_SESSIONS}", lambda at, who: at.read_recent(who)),
)


async def measure(history: Records) -> list[tuple[Read, int, int, float]]:
    """For each read: chunks and records that it decodes, CPU in ms. The history was just rolled up."""
    live, compressed, profile_id = FakeLiveVH(), FakeCompressedVH(), history[0].profile_id
    await live.write(history)
    await Compactor(live, compressed, Counted(), RollUpRules(), lambda: NOW).compact(profile_id)
    reader = HistoryReader(live, compressed, Counted())
    decoded: list[int] = []
    module: Any = reading
    decode = module.read_chunk

    def counting(*arguments: Any) -> Any:
        records = decode(*arguments)
        decoded.append(len(records))
        return records

    lines = []
    for read in READS:
        module.read_chunk = counting
        await read.ask(reader, profile_id)
        module.read_chunk = decode
        times = []
        for _ in range(ROUNDS):
            started = time.process_time()
            await read.ask(reader, profile_id)
            times.append(time.process_time() - started)
        lines.append((read, len(decoded), sum(decoded), median(times) * 1000))
        decoded.clear()
    return lines


def main() -> None:
    logs.configure("bench", "WARNING")
    originals = simulated(1, ORIGINAL)
    table = Table(title="Reads of a history that was just rolled up", title_justify="left")
    for heading in ("sessions", "read", "chunks", "records decoded", "CPU ms"):
        table.add_column(heading, justify="left" if heading == "read" else "right", no_wrap=True)
    for sessions in SIZES:
        for read, chunks, records, cpu_ms in asyncio.run(measure(Copies(originals, "member", sessions)[0])):
            table.add_row(f"{sessions:,}", read.name, str(chunks), f"{records:,}", f"{cpu_ms:.2f}")
    Console(width=140).print(table)


if __name__ == "__main__":
    typer.run(main)
