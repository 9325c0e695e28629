"""The profiles that have a history in Cassandra."""

from bisect import bisect_right
from collections.abc import Iterator, Sequence

from cassandra.cluster import Session
from cassandra.query import SimpleStatement

from infra.engines.cassandra import UNAVAILABLE, translate
from schemas.errors import TooManyDeletions

PAGE_ROWS = 2_000
FIRST_TOKEN, LAST_TOKEN = -(2**63), 2**63 - 1
"""The ring of Cassandra's Murmur3 partitioner. No partition has the first token."""


class Profiles:
    """Iterates over the profiles with a history in either store, each once. Raises TransientError."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def __iter__(self) -> Iterator[str]:
        rolled_up = dict(self._part("compressed_vh_metadata", FIRST_TOKEN, LAST_TOKEN))
        yield from rolled_up
        for profile_id in self._live(FIRST_TOKEN, LAST_TOKEN, sorted(rolled_up.values())):
            if profile_id not in rolled_up:
                yield profile_id

    def _live(self, after: int, upto: int, rolled_up: Sequence[int]) -> Iterator[str]:
        """The profiles in a part of LiveVH, some of those that are ``rolled_up`` (tokens, in order) left out.

        For each partition Cassandra passes over the rows that were deleted before its first one. Only roll-ups delete.
        So a part where that is too much for one read is divided at a profile that was rolled up: it is known already.
        """
        try:
            for profile_id, token in self._part("live_vh", after, upto):
                yield profile_id
                after = token
        except TooManyDeletions:
            first, end = bisect_right(rolled_up, after), bisect_right(rolled_up, upto)
            if first == end:
                raise
            middle = rolled_up[(first + end) // 2]
            yield from self._live(after, middle - 1, rolled_up)
            yield from self._live(middle, upto, rolled_up)

    def _part(self, table: str, after: int, upto: int) -> Iterator[tuple[str, int]]:
        """The profiles with ``after`` < token <= ``upto``, and their tokens, in the order of tokens."""
        query = SimpleStatement(
            f"SELECT DISTINCT profile_id, token(profile_id) AS at FROM {table}"
            " WHERE token(profile_id) > %s AND token(profile_id) <= %s",
            fetch_size=PAGE_ROWS,
        )
        try:
            yield from self._session.execute(query, (after, upto))
        except UNAVAILABLE as error:
            raise translate(error) from error
