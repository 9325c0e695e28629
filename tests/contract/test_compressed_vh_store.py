"""What compaction and readers may expect of a CompressedVHStore: the fake and Cassandra's adapter alike."""

import asyncio
from collections.abc import AsyncIterator
from uuid import UUID, uuid4

import pytest

from domain.history.ports import CompressedVHStore
from domain.history.versions import Chunk, ChunkId, Metadata, Version
from infra.engines.cassandra import close, connect
from infra.stores.compressed_vh_cassandra import CompressedVH
from tests.support.builders import T0
from tests.support.fake_history import FakeCompressedVH

GENERATION = 1_700_000_000_000_000
FIRST, SECOND = UUID(int=1), UUID(int=2)


@pytest.fixture(params=["fake", pytest.param("cassandra", marks=pytest.mark.engines)])
async def store(request: pytest.FixtureRequest) -> AsyncIterator[CompressedVHStore]:
    if request.param == "fake":
        yield FakeCompressedVH()
        return
    session = connect(request.getfixturevalue("stack"))
    yield CompressedVH(session)
    await asyncio.to_thread(close, session)


@pytest.fixture
def profile() -> str:
    """A profile that no other test writes to."""
    return f"contract-{uuid4()}"


def chunk_id(n: int = 0, generation: int = GENERATION, attempt: UUID = FIRST) -> ChunkId:
    return ChunkId(generation, attempt, n)


def metadata(
    generation: int = GENERATION, attempt: UUID = FIRST, chunks: int = 1, body: bytes | None = None
) -> Metadata:
    listed = [
        Chunk(
            id=chunk_id(n, generation, attempt),
            first=(T0 + n, "018bcfe5-6800-7000-8000-000000000001"),
            last=(T0 + n, "018bcfe5-6800-7000-8000-000000000002"),
            records=2,
            size=300,
            checksum=2**32 - 1,
            body=body,
        )
        for n in range(chunks)
    ]
    return Metadata(Version(generation, attempt), tuple(listed))


async def test_a_new_profile_has_no_metadata(store: CompressedVHStore, profile: str) -> None:
    assert await store.metadata(profile) is None
    assert await store.metadata_serial(profile) is None


@pytest.mark.parametrize("published", [metadata(chunks=3), metadata(body=b"\x00chunk")])
async def test_what_was_published_is_read(store: CompressedVHStore, profile: str, published: Metadata) -> None:
    assert await store.publish(profile, None, published) == published.version
    assert await store.metadata(profile) == published
    assert await store.metadata_serial(profile) == published


async def test_only_one_of_two_first_publishes_happens(store: CompressedVHStore, profile: str) -> None:
    one, other = metadata(attempt=FIRST), metadata(attempt=SECOND)
    assert await store.publish(profile, None, one) == one.version
    assert await store.publish(profile, None, other) == one.version
    assert await store.metadata_serial(profile) == one


async def test_a_publish_replaces_its_base_only(store: CompressedVHStore, profile: str) -> None:
    base, winner, loser = metadata(), metadata(GENERATION + 1, FIRST), metadata(GENERATION + 1, SECOND, chunks=2)
    await store.publish(profile, None, base)
    assert await store.publish(profile, base.version, winner) == winner.version
    assert await store.publish(profile, base.version, loser) == winner.version
    assert await store.metadata(profile) == winner


async def test_a_generation_alone_is_no_base(store: CompressedVHStore, profile: str) -> None:
    base = metadata()
    await store.publish(profile, None, base)
    assert await store.publish(profile, Version(GENERATION, SECOND), metadata(GENERATION + 1)) == base.version


async def test_a_publish_that_is_repeated_tells_that_it_happened(store: CompressedVHStore, profile: str) -> None:
    base, new = metadata(), metadata(GENERATION + 1)
    await store.publish(profile, None, base)
    await store.publish(profile, base.version, new)
    assert await store.publish(profile, base.version, new) == new.version


async def test_a_chunk_is_read_byte_for_byte(store: CompressedVHStore, profile: str) -> None:
    body = bytes(range(256)) * 256
    await store.put_chunk(profile, chunk_id(), body)
    assert await store.chunk(profile, chunk_id()) == body
    assert await store.chunk(profile, chunk_id(attempt=SECOND)) is None


async def test_chunks_are_found_whoever_wrote_them_up_to_a_generation(store: CompressedVHStore, profile: str) -> None:
    chunks = [chunk_id(0), chunk_id(1), chunk_id(0, attempt=SECOND), chunk_id(0, GENERATION + 1)]
    for each in chunks:
        await store.put_chunk(profile, each, b"x")
    assert list(await store.stored_chunks(profile, GENERATION)) == chunks[:3]
    assert list(await store.stored_chunks(profile, GENERATION + 1)) == chunks
    assert list(await store.stored_chunks(profile, GENERATION - 1)) == []


async def test_a_deleted_chunk_is_gone_and_others_stay(store: CompressedVHStore, profile: str) -> None:
    for n in range(3):
        await store.put_chunk(profile, chunk_id(n), b"x")
    await store.delete_chunks(profile, [chunk_id(0), chunk_id(2)])
    assert list(await store.stored_chunks(profile, GENERATION)) == [chunk_id(1)]
    assert await store.chunk(profile, chunk_id(0)) is None


async def test_a_write_that_comes_after_its_delete_stays_without_effect(store: CompressedVHStore, profile: str) -> None:
    await store.delete_chunks(profile, [chunk_id()])
    await store.put_chunk(profile, chunk_id(), b"x")
    assert await store.chunk(profile, chunk_id()) is None
