from collections.abc import Iterable
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.avro import physical, schema
from schemas.codec import encode
from schemas.column_rules import holds
from schemas.columnar import columns_between
from schemas.columns import Rows
from schemas.errors import InvalidEvent
from schemas.events import EVENT_TYPES, AudioTrack, Event, Record, SubtitleTrack, Thumbnails
from schemas.rule_types import Entries, Pattern, Rule, Text, Uuid
from schemas.rules import MAX_BYTES, RULES, check
from schemas.topics import FAMILIES
from tests.support.builders import (
    EVENTS,
    account_record,
    asset,
    compaction_request,
    entitlement_record,
    rendition,
    revocation_record,
)
from tests.support.rule_cases import PASSING, RULE_CASES, RuleCase


def case_id(case: RuleCase) -> str:
    return f"{case.family}-{case.field}-{case.code}"


def first_broken(event: Event, rules: Iterable[Rule]) -> Rule | None:
    return next((rule for rule in rules if rule.violation(event)), None)


@pytest.mark.parametrize("case", RULE_CASES, ids=case_id)
def test_a_broken_rule_names_the_field_and_what_to_fix(case: RuleCase) -> None:
    with pytest.raises(InvalidEvent) as caught:
        check(EVENTS[case.family](**case.overrides))
    assert (caught.value.field, caught.value.code) == (case.field, case.code)
    assert caught.value.reason.startswith(case.field)
    assert len(caught.value.reason) < 300


@pytest.mark.parametrize(("family", "overrides"), PASSING)
def test_an_event_at_the_edge_of_the_rules_passes(family: str, overrides: dict[str, object]) -> None:
    check(EVENTS[family](**overrides))


@pytest.mark.parametrize("family", FAMILIES)
def test_every_rule_has_a_case_that_breaks_it(family: str) -> None:
    broken = [
        first_broken(EVENTS[family](**case.overrides), RULES[family]) for case in RULE_CASES if case.family == family
    ]
    assert [rule for rule in RULES[family] if rule not in broken] == []


@pytest.mark.parametrize("family", FAMILIES)
def test_every_text_is_bounded(family: str) -> None:
    bounded = {rule.field for rule in RULES[family] if isinstance(rule, Text | Pattern | Entries)}
    texts = {
        field["name"]
        for field in physical(schema(family))["fields"]
        if "string" in (field["type"], *(field["type"] if isinstance(field["type"], list | dict) else ()))
    }
    assert texts - bounded == set()


@pytest.mark.parametrize("family", FAMILIES)
def test_an_event_that_keeps_the_rules_is_never_too_large(family: str) -> None:
    assert greatest_size(family) <= MAX_BYTES[family]


def test_a_playback_event_fits_in_a_kibibyte() -> None:
    assert MAX_BYTES["playback"] == 1024


SIZES = {"boolean": 1, "int": 5, "long": 7, "double": 8, "enum": 2, "string": 37}
"""Greatest sizes by type: a long is below 2**48 by its rule, a text without a length is a UUID."""


def greatest_size(family: str) -> int:
    """Bytes of a datum in which every field is as large as its rules allow."""
    sizes = {rule.field: rule.most + 3 for rule in RULES[family] if isinstance(rule, Text)}
    for rule in RULES[family]:
        if isinstance(rule, Entries):
            sizes[rule.field] = rule.most * (rule.key_bytes + rule.value_bytes + 4) + 2
    total = 0
    for field in physical(schema(family))["fields"]:
        nullable = isinstance(field["type"], list)
        kind = field["type"][1] if nullable else field["type"]
        name = kind["type"] if isinstance(kind, dict) else kind
        total += nullable + (sizes.get(field["name"]) or SIZES[name])
    return total


def rows_of(events: list[Event], family: str) -> Rows:
    """The events in columns, past all checks."""
    columns = columns_between(physical(schema(family)), physical(schema(family)))
    assert columns is not None
    batch, _ = columns.decode([encode(event) for event in events])
    return Rows(batch)


@pytest.mark.parametrize("family", FAMILIES)
def test_each_rule_judges_a_column_as_it_judges_one_event(family: str) -> None:
    events = [EVENTS[family](**case.overrides) for case in RULE_CASES if case.family == family]
    events += [EVENTS[each](**overrides) for each, overrides in PASSING if each == family]
    rows = rows_of(events, family)
    for rule in RULES[family]:
        expected = [rule.violation(event) is None for event in events]
        assert (holds(rule, rows) & [True] * len(events)).tolist() == expected, rule


NUMBERS = st.integers(-(2**31), 2**31 - 1) | st.integers(-2, 70_000)


@settings(max_examples=20)
@given(
    st.lists(
        st.fixed_dictionaries(
            {
                "seq": NUMBERS,
                "playhead_ms": NUMBERS,
                "duration_ms": st.none() | NUMBERS,
                "watched_ms": NUMBERS,
                "startup_time_ms": st.none() | NUMBERS,
                "rebuffer_count": NUMBERS,
                "rebuffer_ms": NUMBERS,
                "event_time": NUMBERS,
                "received_at": NUMBERS,
                "country": st.text(max_size=3),
                "event_id": st.uuids().map(str)
                | st.uuids().map("{}\n".format)
                | st.uuids().map(lambda u: str(u).upper()),
                "device_id": st.text(max_size=80),
                "error_code": st.none() | st.text(max_size=80),
                "error_fatal": st.booleans(),
                "event_type": st.sampled_from(["error", "heartbeat"]),
            }
        ),
        min_size=1,
        max_size=8,
    )
)
def test_rules_agree_on_anything_that_avro_can_hold(changes: list[dict[str, object]]) -> None:
    events: list[Event] = [EVENTS["playback"](**change) for change in changes]
    rows = rows_of(events, "playback")
    for rule in RULES["playback"]:
        held = (holds(rule, rows) & [True] * len(events)).tolist()
        assert held == [rule.violation(event) is None for event in events], rule


def test_a_map_with_a_name_twice_breaks_the_rule_in_columns() -> None:
    rule = next(rule for rule in RULES["diagnostic"] if isinstance(rule, Entries))
    maps = pa.array(
        [[("a", "1"), ("b", "2")], [("a", "1"), ("a", "2")], [], [("a", "3")]], pa.map_(pa.string(), pa.string())
    )
    assert holds(rule, Rows(pa.record_batch({"fields": maps}))).tolist() == [True, False, True, True]


def test_there_are_rules_for_every_family() -> None:
    assert set(EVENT_TYPES) <= set(RULES)


def test_every_character_of_a_uuid_counts_in_columns_too() -> None:
    right = "018bcfe5-6800-7000-8000-00000000e001"
    wrong = [right[:at] + character + right[at + 1 :] for at in range(36) for character in "-g0AcG9"]
    events: list[Event] = [EVENTS["ui"](event_id=each) for each in wrong]
    rule = Uuid("event_id")
    assert holds(rule, rows_of(events, "ui")).tolist() == [rule.violation(event) is None for event in events]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"profile_id": "p" * 65}, "profile_id"),
        ({"requested_at": 0}, "requested_at"),
        ({"live_records": -1}, "live_records"),
    ],
)
def test_a_compaction_request_has_rules_too(change: dict[str, object], field: str) -> None:
    check(compaction_request())
    with pytest.raises(InvalidEvent) as caught:
        check(compaction_request(**change))
    assert caught.value.field == field


@pytest.mark.parametrize(
    ("record", "field", "code"),
    [
        (account_record(seq=0), "seq", "out_of_range"),
        (account_record(account_id=""), "account_id", "empty"),
        (account_record(event_id="1"), "event_id", "bad_format"),
        (account_record(received_at=0), "received_at", "out_of_range"),
        (account_record(profile_id=None), "profile_id", "required"),
        (account_record(kind="device", device_id=None), "device_id", "required"),
        (account_record(country="nl"), "country", "bad_format"),
        (account_record(maturity="6 years"), "maturity", "bad_format"),
        (entitlement_record(seq=0), "seq", "out_of_range"),
        (entitlement_record(plan=""), "plan", "bad_format"),
        (entitlement_record(streams=-1), "streams", "out_of_range"),
        (entitlement_record(until=0), "until", "out_of_range"),
        (revocation_record(account_id="a" * 65), "account_id", "too_long"),
        (revocation_record(device_id=""), "device_id", "empty"),
        (revocation_record(profile_id="p" * 65), "profile_id", "too_long"),
        (revocation_record(not_before=0), "not_before", "out_of_range"),
    ],
)
def test_what_a_service_says_of_an_account_has_rules_too(record: Record, field: str, code: str) -> None:
    for valid in (account_record(), entitlement_record(), revocation_record()):
        check(valid)
    with pytest.raises(InvalidEvent) as caught:
        check(record)
    assert (caught.value.field, caught.value.code) == (field, code)


@pytest.mark.parametrize(
    ("change", "field", "code"),
    [
        ({"event_id": "1"}, "event_id", "bad_format"),
        ({"received_at": 0}, "received_at", "out_of_range"),
        ({"title_id": "../ml-50"}, "title_id", "bad_format"),
        ({"title_id": "a/b"}, "title_id", "bad_format"),
        ({"seq": 0}, "seq", "out_of_range"),
        ({"version": "v1"}, "version", "bad_format"),
        ({"source_digest": "AB" * 32}, "source_digest", "bad_format"),
        ({"credit": ""}, "credit", "empty"),
        ({"duration_ms": 0}, "duration_ms", "out_of_range"),
        ({"segment_ms": 0}, "segment_ms", "out_of_range"),
        ({"renditions": ()}, "renditions", "too_few"),
        ({"renditions": (rendition(),) * 33}, "renditions", "too_many"),
        ({"renditions": (rendition(), rendition(width=2**40))}, "renditions", "out_of_range"),
        ({"renditions": (rendition(frame_rate=float("nan")),)}, "renditions", "out_of_range"),
        ({"renditions": (rendition(codec="a, b"),)}, "renditions", "bad_format"),
        (
            {"audio": (AudioTrack(name="../x", language="en", codec="mp4a.40.2", channels=2, kbps=1),)},
            "audio",
            "bad_format",
        ),
        ({"subtitles": (SubtitleTrack(name="nl", language=""),)}, "subtitles", "bad_format"),
        (
            {"thumbnails": Thumbnails(interval_ms=0, width=1, height=1, columns=1, rows=1, count=1)},
            "thumbnails",
            "out_of_range",
        ),
    ],
)
def test_an_asset_has_rules_for_what_it_nests_too(change: dict[str, Any], field: str, code: str) -> None:
    check(asset())
    with pytest.raises(InvalidEvent) as caught:
        check(asset(**change))
    assert (caught.value.field, caught.value.code) == (field, code)
    assert caught.value.reason.startswith(field)


def test_a_rule_within_a_list_names_the_entry() -> None:
    with pytest.raises(InvalidEvent) as caught:
        check(asset(renditions=(rendition(), rendition(quality=0))))
    assert caught.value.reason == "renditions[1]: quality is 0; it must be from 1 to 99."


def test_the_largest_asset_is_below_its_limit() -> None:
    tag, large = "x" * 35, 2**31 - 1
    widest = rendition(99, codec=tag, width=2**14, height=2**14, frames=large, peak_kbps=10**6, average_kbps=10**6)
    track = AudioTrack(name=tag, language=tag, codec=tag, channels=64, kbps=10**6)
    subtitles = (SubtitleTrack(name=tag, language=tag),) * 128
    record = asset(
        "t" * 64, large, credit="c" * 512, renditions=(widest,) * 32, audio=(track,) * 64, subtitles=subtitles
    )
    check(record)
    assert len(encode(record)) < MAX_BYTES["asset"]
