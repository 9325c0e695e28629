"""The bench of the history still runs, very small: no figure is looked at but that nothing was lost."""

import pytest

from bench.history.run import Size, run
from infra.local.stack import Stack

pytestmark = pytest.mark.soak_only

TINY = Size(
    profiles=3,
    sessions=130,
    long=1,
    long_sessions=300,
    simulated=1,
    simulated_long=150,
    long_reads=2,
    seconds=1,
    years=2,
)


async def test_the_bench_reads_every_history_as_it_was_written_and_compares_all_of_it(local_stack: Stack) -> None:
    lines = await run(local_stack.settings, local_stack.pid("cassandra"), TINY)

    compared = [line.figure for line in lines if line.aims]
    assert compared == [
        "bytes a record on disk",
        "130 sessions read, p50 ms",
        "130 sessions read, slowest of 3 ms",
        "300 sessions read, p50 ms",
        "300 sessions read, slowest of 2 ms",
        "50 records written, p50 ms",
        "50 records written, p99 ms",
        "MB that compactions rewrote, rows in levels",
        "  CPU s of these, rows in levels",
        "MB that compactions rewrote, rows in tiers",
        "  CPU s of these, rows in tiers",
    ]
    assert all(len(line.values) > 1 for line in lines if line.aims)
