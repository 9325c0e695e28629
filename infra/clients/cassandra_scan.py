"""The whole of LiveVH, row by row. Satisfies ``streams.ledger.ports.History``."""

from collections.abc import Iterator

from cassandra.cluster import Session
from cassandra.query import SimpleStatement

from infra.clients.cassandra import AWAY
from schemas.errors import TransientError

PAGE_ROWS = 2_000


class HistoryScan:
    def __init__(self, session: Session) -> None:
        self._session = session

    def newest_seqs(self) -> Iterator[tuple[str, int]]:
        """(playback session, seq) of every session of every profile. Raises TransientError."""
        query = SimpleStatement("SELECT playback_session_id, record.seq FROM live_vh", fetch_size=PAGE_ROWS)
        try:
            for session_id, seq in self._session.execute(query):
                if session_id is not None:  # a partition that holds nothing but its marker
                    yield str(session_id), seq
        except AWAY as error:
            raise TransientError(f"Cassandra does not answer: {error}") from error
