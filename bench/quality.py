"""``make bench-quality``: the quality worker with checkpoints, compared with a plain consumer that only decodes.

Starts its own stack and wipes it afterwards. Compare ratios, not absolute numbers.
"""

from typing import Annotated

import typer

from bench.side_by_side import cheapest, compare, fill
from bench.stack import bench_stack

KINDS = {
    "decode": "confluent consume + fastavro, nothing else",
    "quality": "quality worker, checkpoints to Cassandra",
}


def main(
    events: Annotated[int, typer.Option(help="Playback events on the topic.")] = 400_000,
    viewers: Annotated[int, typer.Option(help="Sessions at any time.")] = 5_000,
    rounds: Annotated[int, typer.Option(help="Repetitions; the best of each counts.")] = 2,
) -> None:
    with bench_stack() as settings:
        size = fill(settings, events, [f"bench-{number}" for number in range(viewers)])
        print(f"{events:,} playback events of {size} bytes, {viewers:,} sessions at a time\n")
        compare(KINDS, lambda kind: cheapest("bench.quality_consumers", kind, events, rounds))


if __name__ == "__main__":
    typer.run(main)
