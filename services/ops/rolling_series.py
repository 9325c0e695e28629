"""The last minutes of a few numbers, oldest first; and their rates."""

from collections import deque
from collections.abc import Mapping
from itertools import pairwise

from services.ops.document import Series


class RollingSeries:
    """Samples of the same names at rising times, forgotten after ``keep_ms``."""

    def __init__(self, keep_ms: int) -> None:
        self._keep_ms = keep_ms
        self._samples: deque[tuple[int, Mapping[str, int]]] = deque()

    def add(self, at: int, sample: Mapping[str, int]) -> None:
        self._samples.append((at, sample))
        while self._samples[0][0] < at - self._keep_ms:
            self._samples.popleft()

    def values(self) -> Series:
        names = self._samples[-1][1] if self._samples else {}
        return Series(
            [at for at, _ in self._samples],
            {name: [float(sample.get(name, 0)) for _, sample in self._samples] for name in names},
        )

    def growth(self, within_ms: int) -> dict[str, int]:
        """From the oldest sample within that time to the newest."""
        if not self._samples:
            return {}
        until, newest = self._samples[-1]
        oldest = next(sample for at, sample in self._samples if at >= until - within_ms)
        return {name: max(0, value - oldest.get(name, 0)) for name, value in newest.items()}

    def rates(self) -> Series:
        """Growth per second between neighbours; a counter that fell (a recreated topic) counts as standing still."""
        names = self._samples[-1][1] if self._samples else {}
        steps = [
            (at, (at - before) / 1000, old, new) for (before, old), (at, new) in pairwise(self._samples) if at > before
        ]
        return Series(
            [at for at, *_ in steps],
            {
                name: [
                    round(max(0, new.get(name, 0) - old.get(name, 0)) / seconds, 2) for _, seconds, old, new in steps
                ]
                for name in names
            },
        )
