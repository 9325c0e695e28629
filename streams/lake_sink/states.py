"""What a partition of the lake sink is doing: opening, reading, or halted; and how long it waits after failures."""

import random
from collections import deque
from dataclasses import dataclass, field

from domain.lake.keys import Chain
from domain.lake.objects import LakeFile
from domain.lake.ports import Record
from streams.lake_sink.contiguous import ContiguousOffsets, OffsetGap

MAX_BACKOFF_MS = 10_000


@dataclass(frozen=True, slots=True)
class Opening:
    """The chain's end has to be looked up in the store. Nothing is in memory."""

    newest_object: int | None = None
    """Where an object of the chain starts, if one is known."""
    gap: OffsetGap | None = None
    """Why the partition is opened again, if the log skipped offsets."""


@dataclass(slots=True)
class Reading:
    """Records come in from where the chain ends."""

    chain: Chain
    offsets: ContiguousOffsets
    buffer: list[Record] = field(default_factory=list)
    bytes: int = 0
    """Of the buffer."""
    since: int = 0
    """When the buffer got its first record."""
    files: deque[LakeFile] = field(default_factory=deque)
    """What waits for the store."""
    paused: bool = False
    idle_checks: int = 0
    stalled: bool = False

    @property
    def must_reopen(self) -> bool:
        """The position in the log is unknown or in doubt."""
        return self.stalled or self.offsets.gap is not None

    @property
    def size(self) -> int:
        """Bytes in memory."""
        return self.bytes + sum(len(file.body) for file in self.files)


class Halted:
    """A person has to act. Nothing is in memory."""


@dataclass(slots=True)
class Backoff:
    """How long to wait after failures in a row, in any state."""

    failures: int = 0
    until: int = 0

    def failed(self, now: int) -> None:
        self.failures += 1
        pause = min(MAX_BACKOFF_MS, 100 * 2 ** min(self.failures, 10))
        self.until = now + int(pause * random.uniform(0.5, 1))
