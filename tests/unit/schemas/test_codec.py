from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.avro import schema
from schemas.codec import decode, encode
from schemas.errors import InvalidEvent
from schemas.events import RECORD_TYPES, Record, record_name
from tests.support.builders import compaction_request, dead_letter, playback, viewing_record
from tests.support.strategies import records, viewing_records

ANY_RECORD = st.sampled_from(sorted(RECORD_TYPES)).flatmap(records)


@settings(max_examples=60)
@given(ANY_RECORD)
def test_a_record_comes_back_as_it_was(record: Record) -> None:
    assert decode(record_name(record), encode(record)) == record


@settings(max_examples=10)
@given(viewing_records())
def test_a_viewing_record_comes_back_as_it_was(record: Record) -> None:
    assert decode("viewing_record", encode(record)) == record


@pytest.mark.parametrize("record", [viewing_record(), compaction_request(), dead_letter(), dead_letter(value=None)])
def test_other_records_go_through_the_same_functions(record: Record) -> None:
    assert decode(record_name(record), encode(record)) == record


def test_the_datum_is_plain_avro() -> None:
    datum = encode(compaction_request(profile_id="ml-1", requested_at=1, live_records=101))
    assert datum == b"\x08ml-1" + b"\x02" + b"\xca\x01"


def refused(record: str, datum: bytes, writer: dict[str, Any] | None = None) -> InvalidEvent:
    with pytest.raises(InvalidEvent) as caught:
        decode(record, datum, writer)
    return caught.value


DATUM = encode(compaction_request(profile_id="ml-1", requested_at=1, live_records=1))


@pytest.mark.parametrize(
    "datum",
    [
        b"",
        DATUM[:-1],
        DATUM + b"\x00",
        b"\x08ml\xff1\x02\x02",  # not UTF-8
        b"\x09ml-1\x02\x02",  # a text of negative length
        b"\x88\x00ml-1\x02\x02",  # a length in more bytes than it needs
        b"\x08ml-1" + b"\xff" * 9 + b"\x7f\x02",  # a number of more than 64 bits
    ],
)
def test_a_datum_must_be_the_encoding_of_a_record(datum: bytes) -> None:
    assert refused("compaction_request", datum).code == "malformed"


def test_surplus_bytes_are_counted() -> None:
    assert refused("compaction_request", DATUM + b"\x00\x00").reason == "The datum has 2 bytes too many."


def test_an_int_must_fit_in_32_bits() -> None:
    error = refused("compaction_request", DATUM[:-1] + b"\x80\x80\x80\x80\x20")
    assert (error.code, error.field) == ("out_of_range", "live_records")


def test_an_enum_index_below_zero_is_malformed() -> None:
    datum = encode(playback(player_state="stopped"))
    at = encode(playback(player_state="starting"))
    differs = next(index for index in range(len(datum)) if datum[index] != at[index])
    assert refused("playback", datum[:differs] + b"\x01" + datum[differs + 1 :]).code == "malformed"


def test_a_rule_is_kept_by_bytes_too() -> None:
    error = refused("playback", encode(playback(seq=-1)))
    assert (error.code, error.field) == ("out_of_range", "seq")
    assert error.reason == "seq is -1; it must be from 0 to 2147483647."


def test_a_datum_above_its_greatest_size_is_not_even_read() -> None:
    assert refused("playback", bytes(1025)).code == "too_large"


def test_the_schema_of_another_record_is_refused() -> None:
    error = refused("playback", encode(playback()), schema("ui"))
    assert error.code == "wrong_record"
    assert error.reason == "The payload is a playhead.Ui; records on this topic are playhead.Playback."


def test_a_schema_that_does_not_resolve_is_refused() -> None:
    writer = {**schema("compaction_request"), "fields": schema("compaction_request")["fields"][:2]}
    assert refused("compaction_request", DATUM[:-1], writer).code == "incompatible_schema"


def test_a_viewing_record_keeps_no_rules_so_that_history_stays_readable() -> None:
    assert decode("viewing_record", encode(viewing_record(country="??"))) == viewing_record(country="??")
