"""A progress bar on a terminal, silent otherwise."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

Show = Callable[[float, str], None]
"""The share done (0-1) and a text."""


@contextmanager
def bar(title: str) -> Iterator[Show]:
    console = Console(stderr=True)
    columns = (SpinnerColumn(), TextColumn(title), BarColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        task = progress.add_task("", total=1)
        yield lambda done, text: progress.update(task, completed=done, description=text)
