"""``make bench-accounts``: what people do with accounts, on its own stack of MariaDB and the service; what a hash, the
smallest query and a signature cost alone; and whether a refused sign-in takes as long for every address.
"""

import asyncio
import os
from typing import Annotated

import psutil
import typer
from rich.console import Console
from rich.table import Table

from bench.accounts import yardsticks
from bench.accounts.equal_answers import refused
from bench.accounts.members import make_accounts, make_links
from bench.accounts.requests import (
    CONNECTIONS,
    Load,
    looks_at_profiles,
    over_connections,
    refreshes,
    signs_in,
    signs_up,
)
from bench.stack import bench_stack
from domain.processes import BY_NAME
from infra.local.stack import Stack
from infra.runtime.settings import Settings

ACCOUNTS, LINKS_A_SECOND = 400, 100
HEADS = ("", "a second", "p50 ms", "p99 ms", "CPU ms", "MariaDB", "compared with")


def main(
    seconds: Annotated[float, typer.Option(min=1, help="How long, each.")] = 6.0,
    attempts: Annotated[int, typer.Option(min=10, max=ACCOUNTS, help="Refused sign-ins of each kind.")] = 150,
) -> None:
    os.environ["PLAYHEAD_SIGN_IN_FAILURES"] = "100000"  # of everybody; each account and address keeps its limit
    with bench_stack(["mariadb", "accounts"]) as settings:
        asyncio.run(_run(settings, seconds, attempts))


async def _run(settings: Settings, seconds: float, attempts: int) -> None:
    console, port, stack = Console(), settings.process_port(BY_NAME["accounts"]), Stack(settings)
    service, mariadb = (psutil.Process(stack.pid(name)) for name in ("accounts", "mariadb"))
    table = Table(*HEADS, title=f"{CONNECTIONS} connections, {seconds:g} s each", title_justify="left")
    with console.status("a bare hash, the smallest query") as status:
        bare_hash = await yardsticks.hash_alone(seconds)
        table.add_row("a bare hash", *_figures(bare_hash), "–", "")
        query = await yardsticks.query_alone(settings, seconds, mariadb)
        table.add_row("SELECT 1", *_figures(query), f"{query.cpu_ms(1):.2f}", "")
        status.update(f"{ACCOUNTS} accounts")
        addresses = await make_accounts(settings, ACCOUNTS)
        links = await make_links(settings, int(seconds * LINKS_A_SECOND))
        for name, person, hashes in (
            ("sign in", signs_in(addresses), True),
            ("sign up, from the link on", signs_up(iter(links)), True),
            ("refresh a token", refreshes(addresses), False),
            ("account and profiles", looks_at_profiles(addresses), False),
        ):
            status.update(name)
            load = await over_connections(port, person, seconds, service, mariadb)
            times = f"{load.cpu_ms(0) / bare_hash.cpu_ms(0):.2f} × a hash's CPU" if hashes else _against(load, query)
            table.add_row(name, *_figures(load), f"{load.cpu_ms(1):.2f}", times)
        status.update(f"{attempts} refused sign-ins of each kind")
        medians = await refused(port, addresses[:attempts])
        status.update("tokens")
        new, seen, signature = yardsticks.tokens_us(settings)
    console.print(table)
    print(
        f"refused, {attempts} each: known address {medians.known:.2f} ms, unknown {medians.unknown:.2f} ms,"
        f" {medians.known / medians.unknown:.3f} ×; by chance {medians.also_unknown / medians.unknown:.3f} ×"
    )
    print(f"a token's check: new {new:.0f} µs, known {seen:.1f} µs of CPU; a bare signature {signature:.0f} µs")


def _figures(load: Load) -> tuple[str, ...]:
    quantiles = [f"{load.quantile_ms(share):.1f}" for share in (0.5, 0.99)]
    return (f"{load.rate:,.0f}", *quantiles, f"{load.cpu_ms(0):.2f}")


def _against(load: Load, query: Load) -> str:
    return f"{load.quantile_ms(0.5) / query.quantile_ms(0.5):.0f} × SELECT 1 at p50"


if __name__ == "__main__":
    typer.run(main)
