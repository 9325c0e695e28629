"""``make attack``: a stack is attacked in several ways, and other members say what they notice.

Attacks go to the gateway, and to the collector itself, as if somebody had come past the gateway. All of it is on this
machine, bounded in sockets and time. The attacker is a process with the lowest priority, since in life it is a machine
elsewhere: it neither holds up the members who measure nor takes the processor from what it attacks.
"""

import asyncio
import multiprocessing
import os
from concurrent.futures import Executor, ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Annotated

import typer

from bench.attack import attacks
from bench.attack.attacks import Door, Seen
from bench.attack.members import Members
from bench.attack.memory import growth
from bench.stack import bench_stack
from domain.processes import BY_NAME
from infra.local.stack import Stack
from infra.runtime.local_tokens import staff_header
from infra.runtime.settings import Port, Settings

NAMES = (
    *("kafka", "registry", "seaweedfs", "cassandra", "gateway"),
    *("collector", "history", "compaction", "quality", "history-api"),
)
GIANT = "giant"
PAUSE_S = 3.0
"""Between two attacks, so that each meets a quiet stack."""
LOWEST_PRIORITY = 19


@dataclass(frozen=True, slots=True)
class Row:
    name: str
    members: Members
    grown: dict[str, float]
    seen: Seen


def main(
    seconds: Annotated[float, typer.Option(help="How long each attack lasts.")] = 20.0,
    sessions: Annotated[int, typer.Option(help="Open sessions of the giant profile.")] = 100_000,
) -> None:
    elsewhere = ProcessPoolExecutor(1, multiprocessing.get_context("spawn"), os.nice, (LOWEST_PRIORITY,))
    with bench_stack(NAMES) as settings, elsewhere:
        rows = asyncio.run(_attacked(settings, elsewhere, seconds, sessions))
    quiet = rows[0].members
    print("| attack | sends p99, ms | reads p99, ms | failed of | p99 ÷ quiet | grew most, MiB | the attacker saw |")
    print("|---|---|---|---|---|---|---|")
    for row in rows:
        print(_line(row, quiet))


async def _attacked(settings: Settings, elsewhere: Executor, seconds: float, sessions: int) -> list[Row]:
    stack = Stack(settings)
    gateway = Door(settings.port(Port.GATEWAY))
    collector = Door(settings.process_port(BY_NAME["collector"]))
    history = Door(settings.process_port(BY_NAME["history-api"]))
    token = staff_header(settings, "support", "ingest")
    plan: list[tuple[str, attacks.Bound]] = [
        ("quiet", partial(attacks.nothing, seconds)),
        ("headers without end, gateway", partial(attacks.endless_headers, gateway, seconds)),
        ("headers without end, collector", partial(attacks.endless_headers, collector, seconds)),
        ("headers without end, history API", partial(attacks.endless_headers, history, seconds)),
        ("200 slow sockets, gateway", partial(attacks.slow_bodies, gateway, seconds)),
        ("200 slow sockets, collector", partial(attacks.slow_bodies, collector, seconds)),
        ("80 announced megabytes, gateway", partial(attacks.announced_megabytes, gateway, seconds)),
        ("80 announced megabytes, collector", partial(attacks.announced_megabytes, collector, seconds)),
        (f"{sessions:,} open sessions of one profile", partial(attacks.open_sessions, collector, GIANT, sessions)),
        ("its page, 5 readers", partial(attacks.giant_reads, gateway, seconds, GIANT, token)),
        ("quiet again", partial(attacks.nothing, seconds)),
    ]
    await Members(gateway.port, token).during(attacks.nothing(PAUSE_S))  # warm
    rows = []
    for name, attack in plan:
        members = Members(gateway.port, token)
        attacking = asyncio.get_running_loop().run_in_executor(elsewhere, attacks.run, attack)
        seen, grown = await growth(stack, asyncio.ensure_future(members.during(attacking)))
        rows.append(Row(name, members, grown, seen))
        print(f"{name}: done", flush=True)
        await asyncio.sleep(PAUSE_S)
    return rows


def _line(row: Row, quiet: Members) -> str:
    sends, reads = row.members.sends, row.members.reads
    slower = [
        mine.milliseconds(0.99) / its.milliseconds(0.99) for mine, its in ((sends, quiet.sends), (reads, quiet.reads))
    ]
    grown = sorted(row.grown.items(), key=lambda each: -each[1])[:2]
    cells = (
        row.name,
        f"{sends.milliseconds(0.99):.0f}",
        f"{reads.milliseconds(0.99):.0f}",
        f"{sends.failed + reads.failed} of {len(sends.seconds) + len(reads.seconds)}",
        f"{max(slower):.1f}",
        ", ".join(f"{name} {mib:.0f}" for name, mib in grown),
        ", ".join(f"{times} × {what}" for what, times in row.seen.most_common(3)),
    )
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    typer.run(main)
