"""Where a partition's chain of objects ends: asked from the store, whatever Kafka's commits or a buffer say."""

from typing import NamedTuple

from domain.lake import keys as names
from domain.lake.keys import Chain
from domain.lake.ports import ObjectStore


class End(NamedTuple):
    position: int
    """After the chain's newest object; 0 for an empty chain."""
    newest: int | None
    """Where that object starts."""


def end(store: ObjectStore, chain: Chain, known: int | None = None) -> End:
    """Where the chain ends in the store. Raises TransientError.

    ``known`` is the start of some object of the chain and saves listing those before it. It is a hint: if
    nothing stands there or later, the whole chain is listed, so that a lost object is written again as long as
    Kafka still has its records. Every chain begins at 0, also of a topic whose first records have expired:
    two sinks must never disagree on where it begins.
    """
    newest = None
    if known is not None:
        newest = _last(store, chain, chain.just_before(known))
    if newest is None:
        newest = _last(store, chain, "")
    if newest is None:
        return End(0, None)
    return End(int(store.head(newest)["end"]), names.parse(newest)[1])


def _last(store: ObjectStore, chain: Chain, start_after: str) -> str | None:
    newest = None
    for key in store.list(chain.prefix, start_after):
        newest = key
    return newest
