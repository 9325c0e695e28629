"""Fills the stores, and looks at the disk when Cassandra has flushed and merged all that it has."""

from collections.abc import Iterator, Sequence

from rich.progress import track

from bench.history import nodetool
from bench.history.members import Copies, Records
from bench.history.rolling import roll_up
from bench.history.stores import TABLES, Ours, Rows, write
from bench.history.table import Line
from infra.runtime.settings import Settings

PART = 5_000
"""Sessions of a long history between two roll-ups: LiveVH is read in one page."""


async def fill(settings: Settings, histories: Copies, profiles: int, ours: Ours, baselines: Sequence[Rows]) -> float:
    """Seconds of CPU that rolling up took. Members are met anywhere between two roll-ups of theirs."""
    rolling_up_s = 0.0
    for number in track(range(profiles), f"Writing {profiles:,} × {histories.sessions:,} sessions"):
        history, profile_id = histories[number], histories.profile_id(number)
        for baseline in baselines:
            await write(baseline.live, history)
        between = settings.compaction_threshold - settings.compaction_keep_live
        newest = len(history) - number * 7 % between
        for part in _parts(history[:newest]):
            await write(ours.live, part)
            rolling_up_s += await roll_up(ours, [profile_id], settings.compaction_keep_live)
        await write(ours.live, history[newest:])
    return rolling_up_s


def on_disk(settings: Settings, ours: Ours, baselines: Sequence[Rows], records: int) -> list[Line]:
    sizes = []
    for keyspace in [ours.keyspace, *(baseline.keyspace for baseline in baselines)]:
        nodetool.flush(settings, keyspace)
        nodetool.compact(settings, keyspace)
        bytes_of = nodetool.bytes_on_disk(settings, keyspace)
        sizes.append([bytes_of[table] / records for table in TABLES])
    nodetool.flush(settings, "system")
    nodetool.compact(settings, "system")
    paxos = nodetool.bytes_on_disk(settings, "system")["paxos"] / records
    why = "Of a chunk, a third is the random bits of session ids; and of a member sixty sessions are rows in ours, too."
    return [
        Line("bytes a record on disk", [*map(sum, sizes)], (2.5, 1.9), "6", why),
        Line("  of these in LiveVH", [sizes[0][0]]),
        Line("  plus, for a day, of compare-and-sets", [paxos]),
    ]


def _parts(history: Records) -> Iterator[Records]:
    for start in range(0, len(history), PART):
        yield history[start : start + PART]
