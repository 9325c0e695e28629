"""What the stack runs, whether an engine of somebody else's or a worker of ours."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

LOOPBACK = "127.0.0.1"
"""Engines listen here whatever PLAYHEAD_BIND says: they ask nobody for a password."""


class StackError(Exception):
    """The stack cannot do what was asked; the message is one line that says what to do about it."""


@dataclass(frozen=True, slots=True)
class Program:
    name: str
    command: tuple[str, ...]
    ports: tuple[int, ...]
    """The first is the one that clients use."""
    is_ready: Callable[[], bool]
    """Asks by the program's own protocol; False or an OSError means not yet."""
    host: str = LOOPBACK
    """Where its ports are."""
    environment: Mapping[str, str] = field(default_factory=dict)
    configure: Callable[[], None] = lambda: None
    """Writes the files that the command names."""
    wait_for_peers: Callable[[], None] = lambda: None
    """Returns once the nodes of this engine have found each other; called when all of them are ready."""
    package: str | None = None
    """The profile of pom.xml whose jars it runs on."""
    ready_within_s: int = 180
    """Generous, for a loaded machine: one that dies is noticed at once."""
    stop_within_s: int = 30
