"""CompressedVH in Cassandra: immutable chunks, and a metadata row changed only by compare-and-set."""

from collections.abc import Iterable, Sequence
from typing import Any

from cassandra import ConsistencyLevel
from cassandra.cluster import Session
from cassandra.query import BatchStatement, BatchType

from domain.history.versions import Chunk, ChunkId, Metadata, Version
from infra.engines.cassandra import prepared_read, run


class CompressedVH:
    """Satisfies ``domain.history.ports.CompressedVHStore``.

    The session must not retry (``connect`` makes sure of it): the driver would repeat a compare-and-set whose answer
    was lost, and report that it was not applied.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        metadata = f"{session.keyspace}.compressed_vh_metadata"
        chunks = f"{session.keyspace}.compressed_vh_chunks"
        prepare = session.prepare
        select = f"SELECT generation, attempt, chunks FROM {metadata} WHERE profile_id = ?"
        self._metadata = prepared_read(session, select)
        self._newest = prepared_read(session, select)
        self._newest.consistency_level = ConsistencyLevel.LOCAL_SERIAL
        # Conditions on null are true if there is no row yet.
        self._publish = prepare(
            f"UPDATE {metadata} SET generation = ?, attempt = ?, chunks = ? WHERE profile_id = ?"
            " IF generation = ? AND attempt = ?"
        )
        self._publish.serial_consistency_level = ConsistencyLevel.LOCAL_SERIAL
        key = "profile_id = ? AND generation = ? AND attempt = ? AND n = ?"
        self._put = prepare(
            f"INSERT INTO {chunks} (profile_id, generation, attempt, n, body) VALUES (?, ?, ?, ?, ?) USING TIMESTAMP ?"
        )
        self._get = prepared_read(session, f"SELECT body FROM {chunks} WHERE {key}")
        self._list = prepared_read(
            session, f"SELECT generation, attempt, n FROM {chunks} WHERE profile_id = ? AND generation <= ?"
        )
        self._list.fetch_size = None
        self._delete = prepare(f"DELETE FROM {chunks} USING TIMESTAMP ? WHERE {key}")

    async def metadata(self, profile_id: str) -> Metadata | None:
        return _metadata(await run(self._session, self._metadata, (profile_id,)))

    async def metadata_serial(self, profile_id: str) -> Metadata | None:
        return _metadata(await run(self._session, self._newest, (profile_id,)))

    async def publish(self, profile_id: str, base: Version | None, new: Metadata) -> Version | None:
        entries = [_entry(chunk) for chunk in new.chunks]
        generation, attempt = base or (None, None)
        values = (*new.version, entries, profile_id, generation, attempt)
        (row,) = await run(self._session, self._publish, values)
        if row.applied:
            return new.version
        return Version(row.generation, row.attempt) if row.attempt else None

    async def put_chunk(self, profile_id: str, chunk: ChunkId, body: bytes) -> None:
        await run(self._session, self._put, (profile_id, *chunk, body, chunk.generation))

    async def chunk(self, profile_id: str, chunk: ChunkId) -> bytes | None:
        rows = await run(self._session, self._get, (profile_id, *chunk))
        return rows[0].body if rows else None

    async def stored_chunks(self, profile_id: str, up_to: int) -> Sequence[ChunkId]:
        return [ChunkId(*row) for row in await run(self._session, self._list, (profile_id, up_to))]

    async def delete_chunks(self, profile_id: str, chunks: Iterable[ChunkId]) -> None:
        batch = BatchStatement(batch_type=BatchType.UNLOGGED)
        for chunk in chunks:
            batch.add(self._delete, (chunk.generation, profile_id, *chunk))
        await run(self._session, batch)


def _entry(chunk: Chunk) -> tuple[Any, ...]:
    """In the order of the Cassandra type's fields."""
    return (*chunk.id, *chunk.first, *chunk.last, chunk.records, chunk.size, chunk.checksum, chunk.body)


def _metadata(rows: Sequence[Any]) -> Metadata | None:
    if not rows:
        return None
    row = rows[0]
    return Metadata(Version(row.generation, row.attempt), tuple(map(_chunk, row.chunks)))


def _chunk(entry: Any) -> Chunk:
    return Chunk(
        id=ChunkId(entry.generation, entry.attempt, entry.n),
        first=(entry.first_started_at, entry.first_session),
        last=(entry.last_started_at, entry.last_session),
        records=entry.records,
        size=entry.size,
        checksum=entry.checksum,
        body=entry.body,
    )
