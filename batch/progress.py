"""What a person sees of a job: a line for each finished step with its counts, and on a terminal what is running."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import Progress as Bars
from rich.progress import SpinnerColumn, TextColumn, TimeElapsedColumn

Report = Callable[[str, int], None]
"""Called after a part of a step with its name and the number of rows or objects that it handled."""


class Progress:
    """Thread-safe. Enter it to show running steps."""

    def __init__(self, job: str, console: Console) -> None:
        self._job = job
        self._console = console
        columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
        self._bars = Bars(*columns, console=console, transient=True, disable=not console.is_terminal)

    def __enter__(self) -> Self:
        self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bars.stop()

    @contextmanager
    def step(self, name: str) -> Iterator[Report]:
        """Show a step while the block runs, then its counts; a step that raises prints no line."""
        began, counts = time.monotonic(), dict[str, int]()
        task = self._bars.add_task(f"{self._job} · {name}", total=None)
        try:
            yield counts.__setitem__
        finally:
            self._bars.remove_task(task)
        self.note(f"{name}: {summary(counts)} ({time.monotonic() - began:.1f} s)")

    def note(self, text: str) -> None:
        self._console.print(f"{self._job} · {text}", highlight=False, markup=False, soft_wrap=True)


def summary(counts: Mapping[str, int]) -> str:
    """``12 objects found, 5,120 rows appended``: without zeros, unless there is nothing else, as in ``0 starts``."""
    shown = {name: count for name, count in counts.items() if count} or dict(list(counts.items())[:1])
    return ", ".join(f"{count:,} {name}" for name, count in shown.items()) or "done"
