"""Which sequence numbers of a session have come: repeats, and what was lost on the way."""

WINDOW = 256
"""A number that is so far behind the highest is taken for lost."""


class Numbers:
    """A player numbers its lines from 0. They arrive out of order after a retry, and some twice."""

    def __init__(self) -> None:
        self.highest = -1
        self.lost = 0
        """Numbers that will not come any more."""
        self._missing: set[int] = set()

    def __contains__(self, number: int) -> bool:
        return number <= self.highest and number not in self._missing

    @property
    def missing(self) -> int:
        """Numbers that may yet come."""
        return len(self._missing)

    def add(self, number: int) -> None:
        if number <= self.highest:
            self._missing.discard(number)
            return
        if self.highest < 0 and number >= WINDOW:
            self.highest = number - 1  # it began before we were there
        oldest = max(self.highest + 1, number - WINDOW)
        self.lost += oldest - (self.highest + 1)
        self._missing.update(range(oldest, number))
        self.highest = number
        if self._missing:
            gone = {each for each in self._missing if each < number - WINDOW}
            self.lost += len(gone)
            self._missing -= gone

    def forget(self, number: int) -> None:
        """As if it had not come."""
        if number <= self.highest:
            self._missing.add(number)
