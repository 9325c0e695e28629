"""``make bench-stream``: the history worker compared with a plain consumer, and how fast an event becomes visible.

Starts its own stack and wipes it afterwards.
Compare ratios of one run; absolute figures depend on the machine and its load.
"""

import asyncio
import statistics
from collections.abc import Sequence
from typing import Annotated

import typer

from bench.side_by_side import cheapest, compare, fill
from bench.stack import bench_stack
from bench.visibility import measure
from infra.runtime.settings import Settings

KINDS = {
    "plain": "confluent consume + fastavro + dict (no rules)",
    "faust": "history worker, writing nothing",
    "cassandra": "history worker, writing to Cassandra",
}


def main(
    events: Annotated[int, typer.Option(help="Playback events on the topic.")] = 400_000,
    viewers: Annotated[int, typer.Option(help="Sessions at any time.")] = 5_000,
    rounds: Annotated[int, typer.Option(help="Repetitions; the best of each counts.")] = 2,
    rate: Annotated[int, typer.Option(help="Events per second through the collector.")] = 1_000,
    seconds: Annotated[float, typer.Option(help="Duration of the load.")] = 30,
) -> None:
    with bench_stack() as settings:
        _hot_path(settings, events, [f"bench-{number}" for number in range(viewers)], rounds)
        _visibility(settings, rate, seconds, [f"live-{number}" for number in range(viewers)])


def _hot_path(settings: Settings, events: int, viewers: Sequence[str], rounds: int) -> None:
    size = fill(settings, events, viewers)
    print(f"hot path: {events:,} playback events of {size} bytes, {len(viewers):,} sessions at a time\n")
    compare(KINDS, lambda kind: cheapest("bench.consumers", kind, events, rounds))


def _visibility(settings: Settings, rate: int, seconds: float, viewers: Sequence[str]) -> None:
    seen = asyncio.run(measure(settings, rate, seconds, viewers))
    cuts = statistics.quantiles(seen.seconds, n=100, method="inclusive")
    print(
        f"\naccepted -> visible in the history API, {rate:,} events/s for {seconds:g} s: "
        f"p50 {cuts[49] * 1000:.0f} ms, p99 {cuts[98] * 1000:.0f} ms, most {max(seen.seconds) * 1000:.0f} ms "
        f"({len(seen.seconds)} followed, {seen.accepted:,} accepted, {seen.refused:,} refused)"
    )


if __name__ == "__main__":
    typer.run(main)
