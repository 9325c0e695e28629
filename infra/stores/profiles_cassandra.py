"""The profiles that have a history in Cassandra."""

from collections.abc import Iterator

from cassandra.cluster import Session
from cassandra.query import SimpleStatement

from infra.engines.cassandra import UNAVAILABLE
from schemas.errors import TransientError

PAGE_ROWS = 2_000


class Profiles:
    """Iterates over the profiles with a history in either store, each once. Raises TransientError."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def __iter__(self) -> Iterator[str]:
        seen: set[str] = set()
        for table in ("live_vh", "compressed_vh_metadata"):
            query = SimpleStatement(f"SELECT DISTINCT profile_id FROM {table}", fetch_size=PAGE_ROWS)
            try:
                for (profile_id,) in self._session.execute(query):
                    if profile_id not in seen:
                        seen.add(profile_id)
                        yield profile_id
            except UNAVAILABLE as error:
                raise TransientError(f"Cassandra does not answer: {error}") from error
