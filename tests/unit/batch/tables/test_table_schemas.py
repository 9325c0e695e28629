import pytest

from batch.features.definitions import FEATURES
from batch.tables.table_schemas import (
    ASSETS,
    EVENTS,
    INGESTED,
    NAMES,
    RECORDS,
    SESSIONS,
    SNAPSHOTS,
    TITLES,
    TableSchema,
)
from schemas.topics import FAMILIES

ALL = (*INGESTED.values(), SESSIONS, RECORDS, SNAPSHOTS, TITLES, ASSETS, *FEATURES)


@pytest.mark.parametrize("schema", ALL, ids=lambda each: each.name)
def test_every_table_and_every_column_is_documented(schema: TableSchema) -> None:
    assert schema.doc
    assert all(column.doc.endswith(".") or len(column.doc) > 20 for column in schema.columns)
    assert {*schema.key} <= schema.types.keys()
    assert schema.columns[0].name not in (schema.partition or ""), "which SeaweedFS refuses"


def test_there_is_a_table_for_each_family_and_for_what_services_say_of_their_data() -> None:
    changes = ("accounts", "entitlements", "revocations")
    assert (*FAMILIES, *changes, "playback_sessions", "viewing_records", "titles", "assets") == NAMES


def test_a_table_of_records_is_divided_by_days_of_one_of_their_times() -> None:
    assert {name: table.time for name, table in INGESTED.items()} == {
        **dict.fromkeys(FAMILIES, "event_time"),
        **dict.fromkeys(("accounts", "entitlements", "revocations"), "received_at"),
    }


def test_types_are_those_of_the_contract() -> None:
    assert EVENTS["diagnostic"].types | {
        "fields": "map<string,string>",
        "level": "string",
        "event_time": "timestamp",
    } == (EVENTS["diagnostic"].types)
    assert EVENTS["playback"].types | {"seq": "int", "duration_ms": "bigint", "error_fatal": "boolean"} == (
        EVENTS["playback"].types
    )
    nullable = [column.name for column in EVENTS["playback"].columns if not column.required]
    assert nullable == [
        *("account_id", "duration_ms", "startup_time_ms", "bitrate_kbps", "error_code", "recommendation_id"),
        "start_time",
    ]


def test_lists_of_records_are_lists_of_structs() -> None:
    assert ASSETS.types["subtitles"] == "array<struct<name:string,language:string>>"
    assert ASSETS.types["renditions"].startswith("array<struct<quality:int,codec:string,width:int,")


def test_a_session_has_all_of_its_newest_event_but_the_id_under_its_own_name() -> None:
    assert EVENTS["playback"].types.keys() - SESSIONS.types.keys() == {"event_id"}
    assert SESSIONS.types["newest_event_id"] == "string"


def test_a_session_has_all_fields_of_its_viewing_record() -> None:
    assert RECORDS.types.items() <= SESSIONS.types.items()
    assert {**RECORDS.types, "snapshot_on": "date"} == SNAPSHOTS.types
