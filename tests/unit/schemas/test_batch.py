from collections.abc import Callable, Sequence
from typing import Any

import msgspec
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.avro import Schema, schema
from schemas.batch import BatchDecoder, DecodedBatch
from schemas.codec import Decoder, encode
from schemas.errors import InvalidEvent, SchemaPending, TransientError
from schemas.events import RECORD_TYPES, Record
from schemas.framing import frame, unframe
from tests.support.builders import (
    EVENTS,
    account_record,
    asset,
    compaction_request,
    dead_letter,
    diagnostic,
    entitlement_record,
    playback,
    revocation_record,
    viewing_record,
)
from tests.support.newer_schemas import playback_v2, with_field
from tests.support.rule_cases import BYTES_CASES, RULE_CASES, BytesCase
from tests.support.strategies import records

PLAYBACK, UI, PLAYBACK_V2 = 1, 2, 3
SCHEMAS = {PLAYBACK: schema("playback"), UI: schema("ui"), PLAYBACK_V2: playback_v2()}


def resolve(schema_id: int) -> Schema:
    if schema_id not in SCHEMAS:
        raise InvalidEvent("unknown_schema", f"No schema has the id {schema_id}.")
    return SCHEMAS[schema_id]


def decode(payloads: Sequence[bytes | None], record: str = "playback", writer: Schema | None = None) -> DecodedBatch:
    return BatchDecoder(resolve if writer is None else lambda _: writer).decode(record, payloads)


def framed(count: int, **changes: Any) -> list[bytes]:
    return [frame(PLAYBACK, encode(playback(seq=seq, **changes))) for seq in range(count)]


def codes(batch: DecodedBatch) -> dict[int, str]:
    return {invalid.index: invalid.error.code for invalid in batch.invalid}


def rows(batch: DecodedBatch, record: str) -> dict[int, Record]:
    return {row.pop("_index"): msgspec.convert(row, RECORD_TYPES[record]) for row in batch.frame.to_dicts()}


def test_a_batch_becomes_a_frame_of_the_record_s_columns() -> None:
    batch = decode(framed(100))
    assert batch.invalid == []
    assert batch.schema_ids == [PLAYBACK] * 100
    assert batch.frame["seq"].to_list() == list(range(100))
    assert batch.frame["_index"].to_list() == list(range(100))
    assert batch.frame.schema["event_id"] == pl.String
    assert batch.frame.schema["event_time"] == pl.Int64
    assert batch.frame.schema["seq"] == pl.Int32
    assert batch.frame.schema["player_state"] == pl.String
    assert batch.frame.schema["error_fatal"] == pl.Boolean


@pytest.mark.parametrize("payloads", [[], [None], [b"\x00"]])
def test_a_batch_without_a_valid_row_has_the_same_columns(payloads: list[bytes | None]) -> None:
    batch = decode(payloads)
    assert batch.frame.height == 0
    assert batch.frame.schema == decode(framed(100)).frame.schema == decode(framed(1)).frame.schema


@pytest.mark.parametrize("case", BYTES_CASES, ids=lambda case: case.name)
def test_wrong_bytes_are_found_among_right_ones(case: BytesCase) -> None:
    payloads: list[bytes | None] = [*framed(100)]
    payloads[40] = case.spoil(payloads[40] or b"")
    batch = decode(payloads)
    assert codes(batch) == {40: case.code}
    assert batch.frame["_index"].to_list() == [*range(40), *range(41, 100)]
    assert batch.frame["seq"].to_list() == [*range(40), *range(41, 100)]


def test_every_broken_rule_is_found_among_right_events() -> None:
    for family, build in EVENTS.items():
        cases = [case for case in RULE_CASES if case.family == family]
        events = [build(), *(build(**case.overrides) for case in cases), build()]
        batch = decode([frame(9, encode(event)) for event in events], family, schema(family))
        assert [(i.index, i.error.field, i.error.code) for i in batch.invalid] == [
            (index, case.field, case.code) for index, case in enumerate(cases, start=1)
        ]
        assert batch.frame["_index"].to_list() == [0, len(events) - 1]


def test_payloads_of_several_schemas_come_out_in_their_order() -> None:
    old, new = framed(40), [frame(PLAYBACK_V2, encode(playback(seq=seq)) + b"\x00") for seq in range(40)]
    batch = decode([payload for pair in zip(old, new, strict=True) for payload in pair])
    assert batch.invalid == []
    assert batch.schema_ids == [PLAYBACK, PLAYBACK_V2] * 40
    assert batch.frame["_index"].to_list() == list(range(80))
    assert batch.frame["seq"].to_list() == [seq for seq in range(40) for _ in range(2)]


def test_an_unknown_schema_makes_only_its_own_payloads_invalid() -> None:
    batch = decode([*framed(20), frame(99, b"?"), *framed(20)])
    assert codes(batch) == {20: "unknown_schema"}
    assert batch.schema_ids[20] == 99
    assert batch.frame.height == 40


def test_the_schema_of_another_record_makes_a_payload_invalid() -> None:
    assert codes(decode([frame(UI, encode(EVENTS["ui"]())), *framed(20)])) == {0: "wrong_record"}


def test_a_registry_that_is_away_fails_the_batch() -> None:
    def away(schema_id: int) -> Schema:
        raise TransientError("the registry is away")

    with pytest.raises(TransientError):
        BatchDecoder(away).decode("playback", framed(2))


def test_all_pending_schemas_of_a_batch_are_asked_for_so_that_they_wait_together() -> None:
    asked: list[int] = []

    def pending(schema_id: int) -> Schema:
        asked.append(schema_id)
        raise SchemaPending(f"the registry does not know schema {schema_id} yet")

    with pytest.raises(SchemaPending):
        BatchDecoder(pending).decode("playback", [frame(schema_id, b"?") for schema_id in (97, 98, 99)])
    assert asked == [97, 98, 99]


def test_a_schema_is_resolved_once() -> None:
    asked: list[int] = []

    def counting(schema_id: int) -> Schema:
        asked.append(schema_id)
        return resolve(schema_id)

    decoder = BatchDecoder(counting)
    for _ in range(3):
        decoder.decode("playback", framed(3))
    assert asked == [PLAYBACK]


def test_a_map_with_a_name_twice_is_malformed() -> None:
    datum = encode(diagnostic(fields={"codec": "av1", "hardware": "true"}))
    twice = datum.replace(b"\x10hardware", b"\x0acodec")
    batch = decode([frame(9, twice if n == 7 else datum) for n in range(40)], "diagnostic", schema("diagnostic"))
    assert codes(batch) == {7: "malformed"}


def test_dead_letters_keep_their_bytes() -> None:
    letters = [dead_letter(offset=offset, value=bytes([255, offset])) for offset in range(30)]
    batch = decode([frame(9, encode(letter)) for letter in letters], "dead_letter", schema("dead_letter"))
    assert list(rows(batch, "dead_letter").values()) == letters


BUILDERS: dict[str, Callable[..., Record]] = {
    **EVENTS,
    "viewing_record": viewing_record,
    "compaction_request": compaction_request,
    "dead_letter": dead_letter,
    "asset": asset,
    "account_record": account_record,
    "entitlement_record": entitlement_record,
    "revocation_record": revocation_record,
}
USUAL = {record: encode(build()) for record, build in BUILDERS.items()}


@pytest.mark.parametrize("record", sorted(RECORD_TYPES))
@settings(max_examples=6)
@given(data=st.data())
def test_a_batch_holds_what_one_by_one_gives(record: str, data: st.DataObject) -> None:
    expected = [BUILDERS[record]()] * 20 + data.draw(st.lists(records(record), min_size=1, max_size=3))
    batch = decode([frame(9, encode(each)) for each in expected], record, schema(record))
    assert batch.invalid == []
    assert rows(batch, record) == dict(enumerate(expected))


MUTATIONS = st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 255), st.sampled_from("rdi")), max_size=3)


def mutated(datum: bytes, changes: list[tuple[int, int, str]]) -> bytes:
    """Bytes replaced, deleted and inserted."""
    spoilt = bytearray(datum)
    for where, byte, how in changes:
        at = where % (len(spoilt) + 1)
        spoilt[at : at if how == "i" else at + 1] = b"" if how == "d" else bytes([byte])
    return bytes(spoilt)


def outcome(decoder: Decoder, payload: bytes) -> Record | str:
    try:
        return decoder.decode(unframe(payload)[1])
    except InvalidEvent as error:
        return error.code


@pytest.mark.parametrize("newer", [False, True])
@pytest.mark.parametrize("record", sorted(RECORD_TYPES))
@settings(max_examples=12)
@given(data=st.data())
def test_batch_and_one_by_one_agree_on_damaged_bytes(record: str, newer: bool, data: st.DataObject) -> None:
    """``newer``: the writer's schema has one field more, at the end."""
    writer, tail = (with_field(schema(record)), b"\x00") if newer else (schema(record), b"")
    drawn = [encode(each) for each in data.draw(st.lists(records(record), min_size=1, max_size=2))]
    damaged = [mutated(datum + tail, data.draw(MUTATIONS)) for datum in [*drawn, USUAL[record], USUAL[record]]]
    payloads = [frame(9, datum) for datum in [*damaged, *[USUAL[record] + tail] * 20]]
    batch = decode(payloads, record, writer)
    found: dict[int, Record | str] = {**rows(batch, record), **codes(batch)}
    one = Decoder(record, writer)
    assert found == {index: outcome(one, payload) for index, payload in enumerate(payloads)}
