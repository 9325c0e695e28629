"""``make bench-batch``: five million events into the Iceberg tables, then one aggregate by Spark and by Polars.

Starts its own object store and wipes it afterwards. Memory is the peak of a job and its JVM together.
"""

import contextlib
import json
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from typing import Annotated

import psutil
import typer

from bench import lake
from bench.stack import bench_stack
from infra.engines.s3 import ObjectStore

ENGINES = {"spark": "Spark, local[2]", "polars": "Polars, streaming"}
SAMPLE_S = 0.25


@dataclass(frozen=True, slots=True)
class Ran:
    seconds: float
    most_bytes: int
    printed: str


def main(events: Annotated[int, typer.Option(help="Playback events in the lake.")] = 5_000_000) -> None:
    with bench_stack(["seaweedfs"]) as settings:
        store = ObjectStore(settings)
        began = time.monotonic()
        size = lake.fill(store, events)
        print(f"{events:,} events and {events // lake.REPEATED:,} repeats, {size / 2**20:,.0f} MiB of raw objects")
        print(f"(made in {time.monotonic() - began:.0f} s)\n")
        for what in ("playback", "playback_sessions", "playback"):
            _print_result(f"job tables --table {what}", run("-m", "batch.main", "tables", "--table", what), events)
        print("\nviews, events and minutes by title and hour:")
        answers = {engine: _answer(engine) for engine in ENGINES}
    if len(set(answers.values())) != 1:
        raise SystemExit(f"the engines differ: {answers}")


def _answer(engine: str) -> str:
    ran = run("-m", "bench.aggregate", engine)
    found = json.loads(ran.printed.splitlines()[-1])
    first, again = found["seconds"]
    print(f"  {ENGINES[engine]:20} first {first:6.2f} s, again {again:6.2f} s, {ran.most_bytes / 2**30:.2f} GiB")
    return str(found["answer"])


def _print_result(what: str, ran: Ran, events: int) -> None:
    rate = f"{events / ran.seconds:,.0f} events/s"
    print(f"  {what:36} {ran.seconds:6.1f} s  {rate:>18}  {ran.most_bytes / 2**30:.2f} GiB")


def run(*arguments: str) -> Ran:
    """A Python program and all its children, from start to end."""
    began = time.monotonic()
    with subprocess.Popen(
        [sys.executable, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        sizes = [0]
        over = threading.Event()
        watcher = threading.Thread(target=_watch, args=(process.pid, sizes, over))
        watcher.start()
        printed, errors = process.communicate()
        seconds = time.monotonic() - began
        over.set()
        watcher.join()
    if process.returncode:
        raise SystemExit(f"{' '.join(arguments)} failed:\n{errors}")
    return Ran(seconds, max(sizes), printed)


def _watch(command: int, sizes: list[int], over: threading.Event) -> None:
    while not over.wait(SAMPLE_S):
        with contextlib.suppress(psutil.NoSuchProcess):
            process = psutil.Process(command)
            sizes.append(sum(_resident(each) for each in (process, *process.children(recursive=True))))


def _resident(process: psutil.Process) -> int:
    try:
        return int(process.memory_info().rss)
    except psutil.NoSuchProcess:
        return 0


if __name__ == "__main__":
    typer.run(main)
