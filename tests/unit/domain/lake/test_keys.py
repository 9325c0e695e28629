"""Names of objects list in the order of their positions, and read back."""

import pytest

from domain.lake.keys import Chain, parse

CHAIN = Chain("playhead.ui", "Zm9vYmFy", 3)


def test_a_key_holds_topic_topic_id_partition_and_padded_position() -> None:
    assert CHAIN.key(42) == "raw/playhead.ui/Zm9vYmFy/partition=3/00000000000000000042.avro"


def test_a_key_reads_back() -> None:
    assert parse(CHAIN.key(2**40)) == (CHAIN, 2**40)


@pytest.mark.parametrize("key", ["raw/x", "catalogue/titles.jsonl", CHAIN.key(1) + ".tmp", CHAIN.key(1).upper()])
def test_a_foreign_key_is_refused(key: str) -> None:
    with pytest.raises(ValueError, match="not the name of a lake object"):
        parse(key)


def test_keys_sort_as_positions_do() -> None:
    starts = [0, 9, 10, 99, 100, 12_345, 2**62]
    assert sorted(map(CHAIN.key, reversed(starts))) == [CHAIN.key(start) for start in starts]


def test_just_before_separates_a_position_from_all_earlier_ones() -> None:
    assert CHAIN.key(41) < CHAIN.just_before(42) < CHAIN.key(42)
