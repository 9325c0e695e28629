"""Union of viewing records by session; of two states the newer stays.

Commutative, associative and idempotent: sources may overlap, repeat and come in any order.
"""

from collections.abc import Iterable

from domain.history.order import newer
from schemas.events import ViewingRecord


def merge(*sources: Iterable[ViewingRecord]) -> list[ViewingRecord]:
    """One record per (profile, session), in the order of that key."""
    newest: dict[tuple[str, str], ViewingRecord] = {}
    for source in sources:
        for record in source:
            key = (record.profile_id, record.playback_session_id)
            rival = newest.get(key)
            newest[key] = record if rival is None else newer(rival, record)
    return [newest[key] for key in sorted(newest)]
