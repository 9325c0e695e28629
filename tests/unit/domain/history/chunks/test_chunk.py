"""Records in, the same records out."""

from random import Random

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.history.chunks.chunk import decode, encode, in_order, read_header
from domain.history.chunks.layout import CorruptChunk
from schemas.events import ViewingRecord
from tests.support.builders import T0, viewing_record
from tests.support.histories import history
from tests.support.strategies import viewing_records

MOST, LEAST = 2**63 - 1, -(2**63)


def of_one_profile(records: list[ViewingRecord]) -> list[ViewingRecord]:
    return [msgspec.structs.replace(record, profile_id="ml-1") for record in records]


histories = st.lists(
    viewing_records(), min_size=1, max_size=15, unique_by=lambda record: record.playback_session_id
).map(of_one_profile)


@settings(max_examples=50)
@given(histories)
def test_every_record_that_the_contract_permits_comes_back(records: list[ViewingRecord]) -> None:
    assert decode(encode(records), "ml-1") == in_order(records)


@pytest.mark.parametrize("sessions", [1, 2, 19, 100, 500, 2_000])
def test_histories_come_back(sessions: int) -> None:
    assert decode(encode(history(sessions)), "ml-1") == history(sessions)


def test_the_order_in_which_records_come_makes_no_difference() -> None:
    records = history(100)
    shuffled = Random(3).sample(records, 100)
    assert encode(shuffled) == encode(records)


def test_sessions_that_start_together_are_in_order_of_their_ids() -> None:
    ids = ["018bcfe5-6800-7000-8000-00000000000b", "018bcfe5-6800-7000-8000-00000000000a"]
    decoded = decode(encode([viewing_record(playback_session_id=one) for one in ids]), "ml-1")
    assert [record.playback_session_id for record in decoded] == sorted(ids)


@pytest.mark.parametrize("extreme", [MOST, LEAST])
def test_numbers_as_large_as_the_schema_can_hold_come_back(extreme: int) -> None:
    """No rule binds viewing records; what is expected of them wraps around, and back."""
    numbers = {name: extreme for name in ViewingRecord.__struct_fields__ if name.endswith(("_ms", "_time", "_count"))}
    other = "018bcfe5-6800-7000-8000-000000000002"
    records = [viewing_record(**numbers), viewing_record(playback_session_id=other)]
    assert decode(encode(records), "ml-1") == in_order(records)


@pytest.mark.parametrize("text", ["", "\x00", "film", "ŷ☕", "6BA7B811-9DAD-1D10-80B4-00C04FD430C8"])
def test_texts_come_back_as_they_were(text: str) -> None:
    record = viewing_record(title_id=text, device_id=text, error_code=text, recommendation_id=text)
    assert decode(encode([record]), "ml-1") == [record]


def test_a_symbol_that_this_software_does_not_know_comes_back() -> None:
    record = viewing_record(event_type="rewound")
    assert decode(encode([record]), "ml-1") == [record]


def test_the_header_says_what_is_inside() -> None:
    records = history(100)
    header = read_header(encode(records))
    assert (header.format_version, header.count) == (1, 100)
    assert (header.first_started_at, header.last_started_at) == (
        records[0].session_started_at,
        records[-1].session_started_at,
    )


def test_a_chunk_is_only_for_its_own_profile() -> None:
    with pytest.raises(CorruptChunk, match="ml-2"):
        decode(encode([viewing_record(profile_id="ml-1")]), "ml-2")


def test_records_of_two_profiles_make_no_chunk() -> None:
    with pytest.raises(ValueError, match="one profile"):
        encode([viewing_record(profile_id="ml-1"), viewing_record(profile_id="ml-2")])


def test_a_session_in_two_states_makes_no_chunk() -> None:
    with pytest.raises(ValueError, match="once"):
        encode([viewing_record(seq=1), viewing_record(seq=2, received_at=T0 + 1)])


def test_nothing_makes_no_chunk() -> None:
    with pytest.raises(ValueError, match="one profile"):
        encode([])


def test_500_sessions_take_less_than_40_bytes_each() -> None:
    """Of which the random part of the session id takes 9.25; see bench/chunks.py for real figures."""
    assert len(encode(history(500))) < 500 * 40
