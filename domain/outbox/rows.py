"""The rows of an outbox, and which of them count as published.

A row is published once Kafka has acknowledged it and every earlier one of its key: librdkafka may give up one message
and deliver the next, and a follower that saw the later one must find the earlier one behind it, not nowhere.
"""

from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple


class Key(NamedTuple):
    """What ``seq`` counts: the records of one aggregate on one topic."""

    topic: str
    aggregate: str


@dataclass(frozen=True, slots=True)
class Row:
    id: str
    """The record's ``event_id``."""
    topic: str
    aggregate: str
    """The record's key in Kafka."""
    seq: int
    fingerprint: str
    """Of the schema that the datum was written with, as ``schemas.avro.fingerprint`` makes it."""
    datum: bytes

    @property
    def key(self) -> Key:
        return Key(self.topic, self.aggregate)


def published(rows: Sequence[Row], unacknowledged: Container[int]) -> list[Row]:
    """Of each key, those before the first that Kafka has not acknowledged.

    ``rows``: in the order of seq for each key. ``unacknowledged``: places in ``rows``.
    """
    stopped: set[Key] = set()
    found: list[Row] = []
    for place, row in enumerate(rows):
        if place in unacknowledged:
            stopped.add(row.key)
        elif row.key not in stopped:
            found.append(row)
    return found


def keys(rows: Iterable[Row]) -> set[Key]:
    return {row.key for row in rows}
