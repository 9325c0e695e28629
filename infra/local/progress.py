"""Progress: spinners on a terminal, otherwise one plain line per finished step."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn


class Report:
    def __init__(self, console: Console, bars: Progress) -> None:
        self._console = console
        self._bars = bars

    def begin(self, text: str) -> Callable[[], None]:
        """Show a step. Call the returned function when it is finished."""
        started = time.monotonic()
        task = self._bars.add_task(text, total=1)

        def finish() -> None:
            self._bars.update(task, completed=1)
            if not self._console.is_terminal:
                self._console.print(f"{text}: {time.monotonic() - started:.1f} s", highlight=False, soft_wrap=True)

        return finish

    @contextmanager
    def step(self, text: str) -> Iterator[None]:
        """Show a step while the block runs."""
        finish = self.begin(text)
        yield
        finish()


@contextmanager
def report() -> Iterator[Report]:
    console = Console(stderr=True)
    columns = (SpinnerColumn(finished_text="✓"), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal) as bars:
        yield Report(console, bars)
