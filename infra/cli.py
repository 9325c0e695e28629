"""The ``playhead`` command: one app. Each command imports what it needs when it runs, so that help is fast."""

import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup
from typer.main import get_command

if TYPE_CHECKING:
    from infra.local.stack import Stack, Status


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """A command of another module, by name: infra must not import runtimes, and help must not import drivers."""

    module: str
    """Its ``app`` has the command."""
    help: str


ELSEWHERE = {
    "upload": Elsewhere("infra.commands.upload", "Encode a video and make it a title's."),
    "unpublish": Elsewhere("infra.commands.upload", "Take a title's video off."),
    "film": Elsewhere("infra.commands.upload", "Fetch Big Buck Bunny, an example to upload."),
    "catalogue": Elsewhere("producers.simulator.main", "Download films and ratings; write the catalogue of titles."),
    "simulate": Elsewhere("producers.simulator.main", "Simulate members: accounts, past viewing, or live over HTTP."),
    "collector": Elsewhere("producers.collector.main", "Accept events over HTTP; --dry-run explains and stores none."),
    "replay": Elsewhere("producers.replay.main", "Replay dead letters after their cause is fixed."),
    "login": Elsewhere("infra.commands.login", "Print a link that signs a browser in as a member, once."),
    "compact": Elsewhere("infra.commands.compact", "Compact older sessions into CompressedVH."),
    "restore": Elsewhere("infra.commands.restore", "Write back what a history has lost, from the lake and Kafka."),
    "database": Elsewhere("infra.commands.database", "Dump the services' tables in MariaDB, and bring them back."),
    "drain": Elsewhere("infra.commands.ledger", "Wait until all changes are in Kafka and all groups have read it."),
    "ledger": Elsewhere("infra.commands.ledger", "Check that no record is missing, duplicated or unexpected."),
    "job": Elsewhere("batch.main", "Run Spark jobs over the lake and its tables."),
    "token": Elsewhere("infra.commands.token", "Print a member's token for local use, or one of the staff."),
    "rekey": Elsewhere("infra.commands.token", "Sign tokens with a new key."),
    "sql": Elsewhere("batch.main", "Query the lake's tables in SQL."),
}
GROUPS = ("simulate", "collector", "replay", "job", "database")
"""Modules that are one command, or a group of them; in the others the command is one of several."""
Command = Any
"""Typer's own copy of click, which has no public name."""


def load(name: str) -> Command:
    """Import a command of ``ELSEWHERE``."""
    command: Command = get_command(import_module(ELSEWHERE[name].module).app)
    return command if name in GROUPS else command.commands[name]


class LazyCommands(TyperGroup):
    """Imports a command of ``ELSEWHERE`` when it is called, or completed by the shell."""

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Command, list[str]]:
        name, command, rest = super().resolve_command(ctx, args)
        return name, load(name) if name in ELSEWHERE else command, rest


app = typer.Typer(
    cls=LazyCommands,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Playhead's local stack and tools. PLAYHEAD_STACK selects the stack.",
)
Name = Annotated[str, typer.Argument(help="A process, or all workers of one: history, history-0, kafka …")]


@app.command()
def up(
    names: Annotated[list[str] | None, typer.Argument(help="Only these, for example: kafka cassandra.")] = None,
) -> None:
    """Start backends and workers; what already runs is left alone."""
    with _stack() as stack:
        stack.up(names or None)
        _print_status(stack.settings.stack, stack.status())


@app.command()
def status() -> None:
    """Show every process; exits with 1 if one has failed, keeps restarting or is not ready."""
    with _stack() as stack:
        found = stack.status()
        _print_status(stack.settings.stack, found)
        failed = [process for process in found if not process.is_healthy]
        for process in failed:
            name, what = process.name, "has failed" if process.state == "failed" else f"is {process.state}"
            typer.secho(f"\n{name} {what}; its last log lines ({stack.log(name)}):", fg="red", err=True)
            typer.echo("\n".join(f"    {line}" for line in stack.log_tail(name, lines=10)), err=True)
        if failed:
            raise typer.Exit(1)


@app.command()
def logs(
    name: Annotated[str | None, typer.Argument(help="A process; all of them by default.")] = None,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Keep printing new lines.")] = False,
    lines: Annotated[int, typer.Option("--lines", "-n", help="How many lines.")] = 50,
) -> None:
    """Show the last log lines of a process, or of all."""
    from infra.runtime.startup import fail

    with _stack() as stack:
        files = [str(log) for each in stack.select(name) if (log := stack.log(each)).exists()]
        if not files:
            fail(f"stack {stack.settings.stack} has no logs yet: run `playhead up`")
        try:
            subprocess.run(["tail", f"-n{lines}", *(["-F"] if follow else []), *files], check=True)
        except KeyboardInterrupt:
            raise typer.Exit(0) from None


@app.command()
def down() -> None:
    """Stop everything and keep the data."""
    with _stack() as stack:
        stack.down()


@app.command()
def wipe(
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Don't ask.")] = False,
) -> None:
    """Stop the stack and delete its data, logs and configuration, but not the downloads."""
    with _stack() as stack:
        folder = stack.settings.folder
        if not yes:
            typer.confirm(f"Delete {folder}, all data of stack {stack.settings.stack}?", abort=True)
        typer.echo(f"freed {stack.wipe() / 2**20:.1f} MiB: {folder}")


@app.command()
def monitor() -> None:
    """Start Prometheus and Alertmanager, and the stack if it is down; `playhead down` stops everything."""
    with _stack() as stack:
        stack.monitor()
        typer.echo(f"Prometheus    {stack.settings.prometheus_url}/alerts")
        typer.echo(f"Alertmanager  {stack.settings.local_alertmanager}")


@app.command()
def drill(
    names: Annotated[
        list[str] | None, typer.Argument(help="worker-stopped, cassandra-stopped …; all by default.")
    ] = None,
) -> None:
    """Inject a fault, in real time: exactly one alert must page, and resolve after the repair. Starts and stops the
    stack if it is down."""
    from infra.drill import DRILLS, run, stage
    from infra.runtime.startup import fail

    if unknown := set(names or ()) - set(DRILLS):
        fail(f"unknown drill {', '.join(sorted(unknown))}: choose from {', '.join(DRILLS)}")
    with _stack() as stack, stage(stack):
        passed = []
        for name in names or DRILLS:
            typer.echo(f"{name}: ", nl=False)
            passed.append(run(stack, DRILLS[name]))
    if not all(passed):
        raise typer.Exit(1)


@app.command("exec", context_settings={"allow_interspersed_args": False})
def exec_(command: Annotated[list[str], typer.Argument(help="With its arguments, after --.")]) -> None:
    """Run a command with the local backends up; starts and stops them if the stack is down. Workers are not started,
    so an external Kafka's consumer groups are unaffected. Exits with the command's code."""
    from infra.runtime.shutdown import defer_signals
    from infra.runtime.startup import fail

    if not shutil.which(command[0]):
        fail(f"command not found: {command[0]}")
    with _stack() as stack, stack.ensure_running(stack.backends):
        running = subprocess.Popen(command)
        with defer_signals():  # the terminal sends Ctrl-C to the command, too; SIGTERM is passed on
            signal.signal(signal.SIGTERM, lambda *_: running.terminate())
            code = running.wait()
    raise typer.Exit(code if code >= 0 else 128 - code)  # killed: as a shell reports it, 143


@app.command()
def start(name: Name) -> None:
    """Start a stopped or failed process."""
    with _stack() as stack:
        stack.start(name)


@app.command()
def stop(name: Name) -> None:
    """Stop a process gracefully, until start, restart or up."""
    with _stack() as stack:
        stack.stop(name)


@app.command()
def restart(name: Name) -> None:
    """Stop and start a process."""
    with _stack() as stack:
        stack.restart(name)


@app.command()
def key(name: Annotated[str, typer.Argument(help="Letters and digits: whose key it is.")]) -> None:
    """Make a key for the collector. It is shown this once; the setting has its hash."""
    from domain.api_keys import hashed, new_key

    if not name.isalnum():
        raise typer.BadParameter("a name has letters and digits only")
    made = new_key()
    typer.echo(f"key      {made}")
    typer.echo(f"setting  {name}={hashed(made)}  (add it to PLAYHEAD_SERVICE_KEYS or PLAYHEAD_PUBLIC_KEYS)")


@app.command()
def demo(
    members: Annotated[int, typer.Option(min=1, max=943, help="Number of members.")] = 200,
    days: Annotated[int, typer.Option(min=1, max=60, help="Days of past viewing.")] = 14,
    live_viewers: Annotated[int, typer.Option(min=1, help="Members who watch live, over HTTP.")] = 40,
    live_seconds: Annotated[int, typer.Option(min=5, help="Duration of live viewing.")] = 20,
    exit_: Annotated[bool, typer.Option("--exit", help="Exit after the last step, with 1 if one has failed.")] = False,
) -> None:
    """Run the whole pipeline on real backends, from an empty stack to pages in the browser."""
    from infra.demo import Audience, run

    audience = Audience(members, days, live_viewers, live_seconds)
    with _stack() as stack:
        raise typer.Exit(run(stack.settings, audience, stack.wipe, stack.down, stay=not exit_))


for _name, _elsewhere in ELSEWHERE.items():
    app.command(_name, help=_elsewhere.help)(lambda: None)  # its place in the help; the command itself is imported


@contextmanager
def _stack() -> "Iterator[Stack]":
    """The stack of the settings. Known errors end the command with one line and exit code 1."""
    from infra.local.stack import Stack
    from infra.runtime.settings import Settings
    from infra.runtime.startup import exit_with_message, print_error

    with exit_with_message(print_error):
        yield Stack(Settings())


def _print_status(stack: str, processes: "list[Status]") -> None:
    from rich.console import Console
    from rich.table import Table

    if not processes:
        typer.echo(f"stack {stack} is down: run `playhead up`")
        return
    table = Table(title=f"stack {stack}", title_justify="left", box=None, pad_edge=False)
    for column in ("process", "state", "pid", "up", "port"):
        table.add_column(column)
    for process in processes:
        table.add_row(
            process.name,
            process.state if process.is_healthy else f"[bold red]{process.state.upper()}[/]",
            str(process.pid or "–"),
            f"{process.uptime_s} s" if process.pid else "–",
            str(process.port or "–"),
        )
    Console().print(table)


if __name__ == "__main__":
    app()
