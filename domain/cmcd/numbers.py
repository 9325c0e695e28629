"""Which sequence numbers of a session have come: repeats, and gaps."""

WINDOW = 256
"""A number that is so far behind the highest is no longer waited for: if it comes, it is taken for a repeat."""


class Numbers:
    """A player numbers its lines from 0. They arrive out of order after a retry, and some twice."""

    def __init__(self) -> None:
        self.highest = -1
        self._missing: set[int] = set()

    def __contains__(self, number: int) -> bool:
        return number <= self.highest and number not in self._missing

    def add(self, number: int) -> int:
        """How many numbers are missing more than before: -1 if it was missing itself."""
        if number <= self.highest:
            if number in self:
                return 0
            self._missing.discard(number)
            return -1
        if self.highest < 0 and number >= WINDOW:
            self.highest = number - 1  # it began before we were there
        before, self.highest = self.highest, number
        oldest = number - WINDOW
        self._missing = {each for each in self._missing if each >= oldest}
        self._missing.update(range(max(before + 1, oldest), number))
        return number - before - 1

    def forget(self, number: int) -> int:
        """As if it had not come. How many numbers are missing more than before."""
        if number not in self:
            return 0
        self._missing.add(number)
        return 1
