"""The same years of writes to each way: what Cassandra's own compactions make of them, and what rolling up takes.

Rows are tried in levels, as LiveVH has them, so that reads find a history in few files, and in tiers, which rewrite
least. Flushes are forced, one after each round: a bench writes far less than fills Cassandra's memory.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from rich.progress import track

from bench.history import nodetool
from bench.history.members import Copies
from bench.history.rolling import roll_up
from bench.history.stores import TABLES, Ours, Rows, write
from bench.history.stream import rounds
from bench.history.table import Line
from bench.history.work import Meter, Work
from infra.runtime.settings import Settings

ROUND_ROWS = 10_000
"""In each flush: more than a MiB, the smallest size that Cassandra's strategy distinguishes."""
WHY = (
    "Most is LiveVH's, in levels so that a read finds few files, and few deleted rows, of a member; the rest is mostly"
    " the metadata's, where each roll-up replaces a small history's whole chunk, which is merged again in tiers."
)


@dataclass(frozen=True, slots=True)
class Years:
    settings: Settings
    histories: Copies
    profiles: range
    meter: Meter

    async def play(self, store: Ours | Rows, after_round: Callable[[], Awaitable[None]] | None = None) -> Work:
        before = self.meter.read(store.keyspace)
        sessions = [record for number in self.profiles for record in self.histories[number]]
        begin = min(ROUND_ROWS, len(sessions)) // 2
        parts = rounds(sessions, begin)
        count = -(-len(sessions) // begin) + 1
        for part in track(parts, f"Playing {len(sessions):,} sessions to {store.keyspace}", total=count):
            await write(store.live, part)
            if after_round:
                await after_round()
            nodetool.flush(self.settings, store.keyspace)
        return self.meter.read(store.keyspace).since(before)


async def compare(years: Years, ours: Ours, in_levels: Rows, in_tiers: Rows) -> list[Line]:
    threshold, cpu_s = years.settings.compaction_threshold, 0.0
    profiles = [years.histories.profile_id(number) for number in years.profiles]

    async def roll_up_all() -> None:
        nonlocal cpu_s
        cpu_s += await roll_up(ours, profiles, threshold)

    levels, tiers = await years.play(in_levels), await years.play(in_tiers)
    us = await years.play(ours, roll_up_all)
    return [
        *_lines("rows in levels", us, levels),
        *_lines("rows in tiers", us, tiers),
        *(Line(f"  MB of ours in {table}", [us.rewritten[table] / 1e6]) for table in (*TABLES, "paxos")),
        Line("records rolled up a CPU second, eighty at a time", [ours.counted.rolled_up / cpu_s]),
    ]


def _lines(which: str, ours: Work, rows: Work) -> list[Line]:
    rewritten = [ours.rewritten.total() / 1e6, rows.rewritten.total() / 1e6]
    return [
        Line(f"MB that compactions rewrote, {which}", rewritten, (5,), "13 (time)", WHY),
        Line(f"  CPU s of these, {which}", [ours.compaction_cpu_s, rows.compaction_cpu_s], (5,), "", WHY),
        Line(f"  CPU s of Cassandra in all, {which}", [ours.cpu_s, rows.cpu_s]),
    ]
