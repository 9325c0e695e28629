"""``make bench-history``: two stores compared with one row per record, on its own stack that is wiped afterwards.

Ratios of one run hold; absolute figures belong to the machine and to what else it does.
"""

import asyncio
from typing import Annotated

import typer
from rich.console import Console

from bench.history.run import Size, run
from bench.history.table import show
from bench.stack import bench_stack
from infra.local.stack import Stack
from infra.runtime import logs
from infra.runtime.startup import reduce_gc

WIDTH = 140


def main(
    profiles: Annotated[int, typer.Option(min=1, help="Members with 500 sessions each.")] = Size.profiles,
    long: Annotated[int, typer.Option(min=1, help="Members with 50,000 sessions each.")] = Size.long,
) -> None:
    logs.configure("bench", "WARNING")
    reduce_gc()  # as a service does
    with bench_stack(["cassandra"]) as settings:
        pid = Stack(settings).pid("cassandra")
        lines = asyncio.run(run(settings, pid, Size(profiles=profiles, long=long)))
    show(lines, Console(width=WIDTH))


if __name__ == "__main__":
    typer.run(main)
