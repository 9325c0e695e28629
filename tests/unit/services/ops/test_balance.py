from services.ops.balance import balance, lag
from services.ops.chains import Chain, walk, walk_all
from services.ops.document import Balance
from tests.support.fakes import FakeObjectStore

AT = ("playhead.ui", 0)
PREFIX = "raw/playhead.ui/topic-1/partition=0/"


def store(*spans: tuple[int, int, int, str]) -> FakeObjectStore:
    """Objects of (start, end, dead letters, kind)."""
    objects = FakeObjectStore()
    for start, end, dead, kind in spans:
        records = 0 if kind == "gap" else end - start - dead
        metadata = {"end": str(end), "records": str(records), "dead_letters": str(dead), "kind": kind}
        objects.put_if_absent(f"{PREFIX}{start:020}.avro", b"", metadata)
    return objects


def of(chain: Chain | None, start: int, end: int) -> Balance:
    (found,) = balance(["playhead.ui", "playhead.gone"], {AT: start}, {AT: end}, {AT: chain} if chain else {})
    return found


def test_what_kafka_numbered_is_in_the_lake_or_a_dead_letter() -> None:
    chain = walk(store((0, 10, 1, "data"), (10, 25, 0, "data")), PREFIX, None)
    assert of(chain, 0, 25) == Balance("playhead.ui", kafka=25, lake=24, dead_letters=1, in_flight=0, lost=0)


def test_what_the_lake_has_yet_to_write_is_in_flight() -> None:
    chain = walk(store((0, 10, 0, "data")), PREFIX, None)
    assert of(chain, 0, 25) == Balance("playhead.ui", kafka=25, lake=10, dead_letters=0, in_flight=15, lost=0)
    assert of(None, 0, 25) == Balance("playhead.ui", kafka=25, lake=0, dead_letters=0, in_flight=25, lost=0)


def test_records_that_left_kafka_after_the_lake_took_them_still_count() -> None:
    chain = walk(store((0, 10, 0, "data")), PREFIX, None)
    assert of(chain, 10, 10) == Balance("playhead.ui", kafka=10, lake=10, dead_letters=0, in_flight=0, lost=0)


def test_gaps_and_holes_and_records_that_left_kafka_unread_are_lost() -> None:
    gap = walk(store((0, 10, 0, "data"), (10, 14, 0, "gap"), (14, 20, 0, "data")), PREFIX, None)
    assert of(gap, 14, 20) == Balance("playhead.ui", kafka=20, lake=16, dead_letters=0, in_flight=0, lost=4)
    hole = walk(store((0, 10, 0, "data"), (14, 20, 0, "data")), PREFIX, None)
    assert of(hole, 0, 20) == Balance("playhead.ui", kafka=20, lake=16, dead_letters=0, in_flight=0, lost=4)
    expired = walk(store((0, 10, 0, "data")), PREFIX, None)
    assert of(expired, 12, 20) == Balance("playhead.ui", kafka=20, lake=10, dead_letters=0, in_flight=8, lost=2)


def test_the_lake_looked_at_after_kafka_proves_that_kafka_had_more() -> None:
    chain = walk(store((0, 10, 0, "data")), PREFIX, None)
    assert of(chain, 0, 7) == Balance("playhead.ui", kafka=10, lake=10, dead_letters=0, in_flight=0, lost=0)


def test_a_chain_is_read_on_from_where_it_was() -> None:
    objects = store((0, 10, 0, "data"))
    known = walk(objects, PREFIX, None)
    objects.objects.clear()  # what was read once is not read again
    objects.put_if_absent(
        f"{PREFIX}{10:020}.avro", b"", {"end": "12", "records": "1", "dead_letters": "1", "kind": "data"}
    )
    chain = walk(objects, PREFIX, known)
    assert chain == Chain(0, 12, records=11, dead_letters=1, lost=0, last_key=f"{PREFIX}{10:020}.avro")


def test_a_recreated_topic_has_a_chain_of_its_own() -> None:
    objects = store((0, 10, 0, "data"))
    known = walk_all(objects, [AT], {"playhead.ui": "topic-1"}, {})
    assert known[AT].end == 10
    assert walk_all(objects, [AT], {"playhead.ui": "topic-2"}, known) == {}


def test_lag_counts_a_groups_own_topics_from_its_commits() -> None:
    ends = {("a", 0): 100, ("a", 1): 50, ("b", 0): 1_000}
    starts = {("a", 0): 0, ("a", 1): 20, ("b", 0): 0}
    assert lag(ends, starts, {("a", 0): 90}, ["a"]) == 10 + 30
