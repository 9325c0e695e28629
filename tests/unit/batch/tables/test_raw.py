from collections.abc import Iterator

from batch.tables.raw import new_objects
from tests.support.fakes import FakeObjectStore

TOPIC = "playhead.playback"


class Listing(FakeObjectStore):
    """Remembers which keys were listed."""

    def __init__(self) -> None:
        super().__init__()
        self.listed: list[str] = []

    def list(self, prefix: str, start_after: str = "") -> Iterator[str]:
        for key in super().list(prefix, start_after):
            self.listed.append(key)
            yield key


def put(store: FakeObjectStore, start: int, end: int, partition: int = 0, topic_id: str = "AAA") -> str:
    key = f"raw/{TOPIC}/{topic_id}/partition={partition}/{start:020d}.avro"
    metadata = {"end": str(end), "records": str(end - start), "dead_letters": "0", "kind": "data", "sha256": "…"}
    store.put_if_absent(key, b"", metadata)
    return key


def test_what_lies_behind_a_position_is_not_even_listed() -> None:
    store = Listing()
    for start in range(0, 1000, 10):
        put(store, start, start + 10)
    new = [put(store, 1000, 1003), put(store, 0, 4, partition=1), put(store, 0, 7, topic_id="BBB")]

    objects = new_objects(store, TOPIC, {("AAA", 0): 1000})

    assert [each.key for each in objects] == new
    assert [each.records for each in objects] == [3, 4, 7]
    assert len(store.listed) == 4


def test_without_positions_everything_is_new() -> None:
    store = FakeObjectStore()
    keys = [put(store, 0, 2, partition=1), put(store, 0, 2, partition=10), put(store, 2, 3, partition=1)]

    assert {each.key for each in new_objects(store, TOPIC, {})} == set(keys)
