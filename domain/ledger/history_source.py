"""The history's side of the ledger: every member's history, read as members read it."""

import asyncio
from collections.abc import Iterable, Iterator
from itertools import chain, islice

from domain.history.reading import HistoryReader
from schemas.events import ViewingRecord

AT_ONCE = 32


class ReadBack:
    """Satisfies ``domain.ledger.ports.History``."""

    def __init__(self, profiles: Iterable[str], reader: HistoryReader) -> None:
        self._profiles = profiles
        self._reader = reader

    def newest_seqs(self) -> Iterator[tuple[str, int]]:
        """A session in a chunk that can't be read is missing. Raises TransientError."""
        rest = iter(self._profiles)
        while profiles := list(islice(rest, AT_ONCE)):
            for record in asyncio.run(self._records(profiles)):
                yield record.playback_session_id, record.seq

    async def _records(self, profiles: Iterable[str]) -> Iterable[ViewingRecord]:
        found = await asyncio.gather(*map(self._reader.read_all, profiles))
        return chain.from_iterable(whole.records for whole in found)
