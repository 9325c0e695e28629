"""Reading the lake: a chain's end comes from the store."""

from domain.lake.keys import Chain
from domain.lake.reading import find_end
from tests.support.fakes import FakeObjectStore

CHAIN = Chain("playhead.ui", "id", 0)


def stored(*spans: tuple[int, int], of: Chain = CHAIN) -> FakeObjectStore:
    store = FakeObjectStore()
    for start, end in spans:
        store.put_if_absent(of.key(start), b"", {"end": str(end)})
    return store


def test_an_empty_chain_ends_at_zero() -> None:
    assert find_end(stored(), CHAIN).position == 0


def test_the_newest_object_says_where_the_chain_ends() -> None:
    assert find_end(stored((0, 7), (7, 9), (9, 120)), CHAIN).position == 120


def test_the_newest_object_is_named_too() -> None:
    assert find_end(stored((0, 7), (7, 9)), CHAIN).newest == 7
    assert find_end(stored(), CHAIN).newest is None


def test_an_older_hint_is_walked_from() -> None:
    assert find_end(stored((0, 7), (7, 9), (9, 120)), CHAIN, hint=7).position == 120


def test_the_hint_itself_may_be_the_newest() -> None:
    assert find_end(stored((0, 7), (7, 9)), CHAIN, hint=7).position == 9


def test_a_hint_at_an_object_that_is_gone_counts_for_nothing() -> None:
    assert find_end(stored((0, 7), (7, 9)), CHAIN, hint=9).position == 9
    assert find_end(stored(), CHAIN, hint=9).position == 0


def test_a_hint_lists_only_what_comes_after_it() -> None:
    listed: list[str] = []

    class Watched(FakeObjectStore):
        def list(self, prefix: str, start_after: str = ""):  # type: ignore[no-untyped-def]
            for key in super().list(prefix, start_after):
                listed.append(key)
                yield key

    store = Watched()
    store.objects = stored((0, 7), (7, 9), (9, 12)).objects
    find_end(store, CHAIN, hint=9)
    assert listed == [CHAIN.key(9)]


def test_other_partitions_and_an_older_topic_of_the_name_are_other_chains() -> None:
    store = stored((0, 7))
    store.objects |= stored((0, 500), of=Chain("playhead.ui", "older", 0)).objects
    store.objects |= stored((0, 600), of=Chain("playhead.ui", "id", 10)).objects
    assert find_end(store, CHAIN).position == 7
    assert find_end(store, Chain("playhead.ui", "id", 1)).position == 0
