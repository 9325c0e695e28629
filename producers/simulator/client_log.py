"""The client's own log, one side of the ledger: JSON lines, of which an event's last one counts.

``sent`` is written before the event leaves, then one of ``accepted``, ``refused`` (with the field at fault where
known) or ``unanswered``. A crash in between leaves ``sent``: the event may or may not have arrived.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

import msgspec

from producers.client.sender import Outcome, PendingEvent


class Line(NamedTuple):
    event_id: str
    family: str
    outcome: Outcome
    field: str | None = None


class ClientLog:
    """An open log file; use it as a context manager."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = path.open("ab")
        self._encode = msgspec.json.Encoder().encode

    def write(self, lines: Iterable[Line]) -> None:
        """Flushed to the operating system when it returns."""
        self._file.write(b"".join(self._encode(_named(line)) + b"\n" for line in lines))
        self._file.flush()

    def note(self, events: Sequence[PendingEvent], outcome: Outcome, field: str | None) -> None:
        """What a ``Sender`` says of its events."""
        self.write(Line(event.event_id, event.family, outcome, field) for event in events)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._file.close()


def _named(line: Line) -> dict[str, str]:
    named = {"event_id": line.event_id, "family": line.family, "outcome": line.outcome}
    return named if line.field is None else named | {"field": line.field}
