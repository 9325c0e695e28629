import types
from typing import Any, Literal, get_args, get_origin, get_type_hints

import msgspec
import pytest

from domain.history.kept import KEPT_FIELDS
from schemas import events
from schemas.avro import fingerprint, full_name, physical, schema
from schemas.events import EVENT_TYPES, RECORD_TYPES, Record
from schemas.topics import CHANGE_TOPICS, EVENT_TOPICS, FAMILIES, TOPICS


def fields_of(record: str) -> list[dict[str, Any]]:
    fields: list[dict[str, Any]] = schema(record)["fields"]
    return fields


def python_type(avro: Any) -> Any:
    """The annotation that a struct's field must have."""
    match avro:
        case ["null", branch]:
            return python_type(branch) | None
        case {"type": "enum", "symbols": symbols}:
            return Literal[tuple(symbols)]
        case {"type": "map", "values": "string"}:
            return dict[str, str]
        case {"type": "array", "items": items}:
            return types.GenericAlias(tuple, (python_type(items), ...))
        case {"type": "record", "name": name}:
            return getattr(events, name)
        case {"type": physical_type}:
            return python_type(physical_type)
    return {"string": str, "long": int, "int": int, "double": float, "boolean": bool, "bytes": bytes}[avro]


@pytest.mark.parametrize("record", RECORD_TYPES)
def test_the_struct_has_the_schema_s_fields_in_order_with_their_types(record: str) -> None:
    struct: type[Record] = RECORD_TYPES[record]
    hints = get_type_hints(struct)
    # A struct lists inherited fields first, as the schemas list the envelope.
    assert list(struct.__struct_fields__) == [field["name"] for field in fields_of(record)]
    for field in fields_of(record):
        assert hints[field["name"]] == python_type(field["type"]), field["name"]


@pytest.mark.parametrize("record", [name for name in RECORD_TYPES if name != "viewing_record"])
def test_the_struct_has_the_schema_s_defaults(record: str) -> None:
    absent = object()
    for field in msgspec.structs.fields(RECORD_TYPES[record]):
        default = field.default if field.default is not msgspec.NODEFAULT else absent
        if field.default_factory is not msgspec.NODEFAULT:
            default = field.default_factory()
        avro = next(each for each in fields_of(record) if each["name"] == field.name)
        assert default == (() if avro.get("default") == [] else avro.get("default", absent)), field.name


@pytest.mark.parametrize("record", RECORD_TYPES)
def test_everything_is_documented(record: str) -> None:
    assert schema(record)["doc"]
    for field in fields_of(record):
        assert field["doc"].endswith("."), field["name"]
        kind = field["type"]
        if isinstance(kind, dict) and kind["type"] == "enum":
            assert kind["doc"]
            assert kind["default"] == "unknown" == kind["symbols"][0]


@pytest.mark.parametrize("family", FAMILIES)
def test_the_envelope_is_the_same_in_every_family(family: str) -> None:
    envelope = [
        "event_id",
        "client_time",
        "sent_at",
        "received_at",
        "event_time",
        "device_id",
        "device_type",
        "app_name",
        "app_version",
        "country",
        "account_id",
    ]
    assert fields_of(family)[:11] == fields_of("ui")[:11]
    assert [field["name"] for field in fields_of(family)][:12] == [*envelope, "profile_id"]


def test_a_viewing_record_s_fields_are_those_of_playback_or_kept_from_its_older_events() -> None:
    playback = {field["name"]: physical(field["type"]) for field in fields_of("playback")}
    assert fields_of("viewing_record")[0]["name"] == "received_at"
    for field in fields_of("viewing_record"):
        if field["name"] in KEPT_FIELDS:
            assert field["name"] not in playback
            assert field["default"] is None
        else:
            assert physical(field["type"]) == playback[field["name"]]


def test_only_a_playback_event_must_have_a_profile() -> None:
    types = {family: next(f["type"] for f in fields_of(family) if f["name"] == "profile_id") for family in FAMILIES}
    assert types.pop("playback") == "string"
    assert all(kind == ["null", "string"] for kind in types.values())


def test_the_physical_schema_has_no_logical_types_and_says_the_same_bytes() -> None:
    assert "logicalType" not in str(physical(schema("playback")))
    assert fingerprint(physical(schema("playback"))) == fingerprint(schema("playback"))


def test_fingerprints_differ_between_records() -> None:
    assert len({fingerprint(schema(record)) for record in RECORD_TYPES}) == len(RECORD_TYPES)


def test_full_names_are_unique() -> None:
    assert len({full_name(schema(record)) for record in RECORD_TYPES}) == len(RECORD_TYPES)
    assert full_name(schema("ui")) == "playhead.Ui"


def test_topics() -> None:
    assert set(TOPICS) == {
        "playhead.ui",
        "playhead.playback",
        "playhead.error",
        "playhead.diagnostic",
        "playhead.processing",
        "playhead.performance",
        "playhead.compaction_requests",
        "playhead.dead_letters",
        "playhead.assets",
        "playhead.accounts",
        "playhead.entitlements",
        "playhead.revocations",
    }
    assert {topic.record for topic in TOPICS.values()} <= set(RECORD_TYPES)
    assert {topic.record for topic in EVENT_TOPICS.values()} == set(EVENT_TYPES)
    assert EVENT_TOPICS["playback"].subject == "playhead.playback-value"


def test_what_services_say_of_an_account_names_nobody() -> None:
    personal = ("mail", "name", "address", "ip", "phone", "birth")
    said = [field["name"] for topic in CHANGE_TOPICS.values() for field in fields_of(topic.record)]
    assert [name for name in said if any(word in name.split("_") for word in personal)] == []
    assert {topic.name: topic.retention_ms for topic in CHANGE_TOPICS.values()} == {
        "playhead.accounts": 30 * 86_400_000,
        "playhead.entitlements": 30 * 86_400_000,
        "playhead.revocations": 25 * 3_600_000,
    }


def test_literals_are_ordered_as_symbols() -> None:
    assert get_origin(get_type_hints(RECORD_TYPES["playback"])["player_state"]) is Literal
    assert get_args(get_type_hints(RECORD_TYPES["playback"])["player_state"])[0] == "unknown"
