"""The clients' own logs, read back: JSON lines of ``event_id`` and ``outcome``; an event's last line counts."""

from collections.abc import Iterator
from pathlib import Path

import msgspec


class _Line(msgspec.Struct):
    event_id: str
    outcome: str


def read_client_logs(folder: Path) -> Iterator[tuple[str, str]] | None:
    """(event id, last outcome) of every event that a client logged in this folder; None if no client did."""
    files = sorted(folder.glob("*.jsonl"))
    if not files:
        return None
    decode = msgspec.json.Decoder(_Line).decode
    last: dict[str, str] = {}
    for file in files:
        with file.open("rb") as lines:
            last |= {line.event_id: line.outcome for line in map(decode, lines)}
    return iter(last.items())
