"""What the stack runs: a backend or one of our workers."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

LOOPBACK = "127.0.0.1"
"""Local backends listen here, whatever PLAYHEAD_BIND is: they ask for no password."""


class StackError(Exception):
    """The stack cannot do this. The message is one line that says what to do."""


@dataclass(frozen=True, slots=True)
class Program:
    name: str
    command: tuple[str, ...]
    ports: tuple[int, ...]
    """The first is the one that clients use."""
    is_ready: Callable[[], bool]
    """Asks in the program's own protocol; False or OSError: not yet."""
    host: str = LOOPBACK
    """Address of its ports."""
    environment: Mapping[str, str] = field(default_factory=dict)
    configure: Callable[[], None] = lambda: None
    """Writes the files that the command names."""
    wait_for_peers: Callable[[], None] = lambda: None
    """Returns once the backend's nodes see each other; called when all of them are ready."""
    package: str | None = None
    """The profile of pom.xml whose jars it runs on."""
    ready_within_s: int = 180
    """Generous, for a loaded machine; a process that exits is noticed at once."""
    stop_within_s: int = 30
