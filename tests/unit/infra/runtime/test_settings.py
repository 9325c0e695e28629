"""Settings that do not exist are errors, and say which one is meant."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from domain.api_keys import hashed
from infra.runtime.setting_groups.stack import RENAMED
from infra.runtime.settings import Settings


def error_of(monkeypatch: pytest.MonkeyPatch, variable: str, value: str = "2") -> str:
    monkeypatch.setenv(variable, value)
    with pytest.raises(ValidationError) as error:
        Settings()
    return str(error.value)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("PLAYHEAD_HISTORY_PROCESSES", "PLAYHEAD_WORKERS=history=N"),
        ("PLAYHEAD_LAKE_PROCESSES", "PLAYHEAD_WORKERS=lake=N"),
        ("PLAYHEAD_COMPACTION_PROCESSES", "PLAYHEAD_WORKERS=compaction=N"),
        ("PLAYHEAD_QUALITY_PROCESSES", "PLAYHEAD_WORKERS=quality=N"),
        ("PLAYHEAD_LEDGER_PATIENCE_SECONDS", "PLAYHEAD_LEDGER_OVERDUE_SECONDS"),
        ("PLAYHEAD_INGEST_KEYS", "PLAYHEAD_SERVICE_KEYS=NAME=HASH"),
        ("PLAYHEAD_INTAKE_WAIT_SECONDS", "PLAYHEAD_COLLECTOR_WAIT_SECONDS"),
        ("PLAYHEAD_INTAKE_MAX_BYTES_IN_FLIGHT", "PLAYHEAD_COLLECTOR_MAX_BYTES_IN_FLIGHT"),
    ],
)
def test_a_renamed_setting_names_its_successor(monkeypatch: pytest.MonkeyPatch, old: str, new: str) -> None:
    assert f"{old} was renamed: set {new}" in error_of(monkeypatch, old)


def test_every_renamed_setting_is_gone_and_its_successor_exists() -> None:
    successors = {new.split("=")[0].removeprefix("PLAYHEAD_").lower() for new in RENAMED.values()}
    assert not RENAMED.keys() & Settings.model_fields.keys()
    assert successors <= Settings.model_fields.keys()


def test_a_misspelt_setting_names_the_closest_one(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "unknown setting PLAYHEAD_KAFKA_BOOTSTRAPS: did you mean PLAYHEAD_KAFKA_BOOTSTRAP?" in error_of(
        monkeypatch, "PLAYHEAD_KAFKA_BOOTSTRAPS", "broker:9092"
    )


def test_a_setting_like_no_other_names_the_list(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "unknown setting PLAYHEAD_QQQQQQ: .env.example lists all settings" in error_of(
        monkeypatch, "PLAYHEAD_QQQQQQ"
    )


def test_all_unknown_settings_are_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLAYHEAD_HISTORY_PROCESSES", "2")
    assert "PLAYHEAD_HISTORY_PROCESSES was renamed" in error_of(monkeypatch, "PLAYHEAD_S3_ENDPOINTS", "aws")


def test_an_env_file_is_checked_too_but_only_what_is_ours_in_it(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text("JAVA_HOME=/opt/java\nPLAYHEAD_ENV_FILE=\nPLAYHEAD_LAKE_BUCKET=other\n")
    assert Settings(_env_file=file).lake_bucket == "other"

    file.write_text("PLAYHEAD_LAKE_PROCESSES=2\n")
    with pytest.raises(ValidationError, match="PLAYHEAD_LAKE_PROCESSES was renamed: set PLAYHEAD_WORKERS=lake=N"):
        Settings(_env_file=file)


def test_a_setting_given_in_code_is_checked_too() -> None:
    with pytest.raises(ValidationError, match="did you mean PLAYHEAD_LAKE_BUCKET"):
        Settings.model_validate({"lake_buckets": "lake"})


def test_workers_are_counted_by_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLAYHEAD_WORKERS", "history=2, lake=10")
    assert Settings().workers == {"history": 2, "lake": 10}


@pytest.mark.parametrize(
    ("workers", "message"),
    [
        ("hist=2", "cannot scale hist: choose from history, compaction, quality, lake"),
        ("collector=2", "cannot scale collector: choose from history, compaction, quality, lake"),
        ("history", "expected history=1 to history=10, not history="),
        ("history=0", "expected history=1 to history=10, not history=0"),
        ("history=11", "expected history=1 to history=10, not history=11"),
        ("history=many", "expected history=1 to history=10, not history=many"),
    ],
)
def test_workers_that_cannot_be_are_an_error(monkeypatch: pytest.MonkeyPatch, workers: str, message: str) -> None:
    assert message in error_of(monkeypatch, "PLAYHEAD_WORKERS", workers)


@pytest.mark.parametrize(
    ("given", "edge"),
    [
        ({}, "http://127.0.0.1:18045"),
        ({"bind": "localhost"}, "http://127.0.0.1:18045"),
        ({"bind": "0.0.0.0"}, "http://127.0.0.1:18045"),
        ({"bind": "10.0.0.7"}, "http://10.0.0.7:18045"),
        ({"bind": "fd00::7"}, "http://[fd00::7]:18045"),
        ({"bind": "10.0.0.7", "edge_url": "https://edge.example.com/"}, "https://edge.example.com"),
    ],
)
def test_the_edge_s_address_is_the_external_one_or_where_the_local_one_listens(
    given: dict[str, str], edge: str
) -> None:
    own = {"stack": "unit", "port_base": 18000, "service_keys": {"own": hashed("secret")}, "edge_keys": "a=secret"}
    assert Settings.model_validate(own | given).edge == edge


def test_keys_are_named_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLAYHEAD_SERVICE_KEYS", f"old={hashed('a')}, new={hashed('b')}")
    assert Settings().service_keys == {"old": hashed("a"), "new": hashed("b")}


@pytest.mark.parametrize("keys", ["secret", "own=secret", f"={'a' * 64}", f"own={'A' * 64}"])
def test_a_key_that_is_not_hashed_is_an_error(monkeypatch: pytest.MonkeyPatch, keys: str) -> None:
    error = error_of(monkeypatch, "PLAYHEAD_PUBLIC_KEYS", keys)
    assert "`playhead key` makes both" in error


def test_the_default_key_opens_no_door_to_other_machines() -> None:
    with pytest.raises(ValidationError, match="opens the collector: set PLAYHEAD_SERVICE_KEYS"):
        Settings.model_validate({"stack": "unit", "port_base": 18000, "bind": "0.0.0.0", "edge_keys": "a=secret"})
