"""The same code on engines that ask for TLS and a password: only settings differ, and a wrong one is named."""

import asyncio
import itertools
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import httpx
import pytest
from pydantic import SecretStr

from domain.clock import system_clock
from domain.lake.reading import read_objects, read_rows
from infra.engines.cassandra import close, connect
from infra.engines.s3 import ObjectStore
from infra.local.stack import Stack
from infra.local.workers import environment
from infra.runtime.settings import LOCAL_KEY, PORT_BASES, Port, Settings
from infra.stores.compressed_vh_cassandra import CompressedVH
from schemas.events import Playback
from tests.integration.infra.secured import (
    REGISTRY_TLS,
    S3_TLS,
    secured_cassandra,
    secured_kafka,
    secured_registry_and_s3,
)
from tests.support.authority import Authority
from tests.support.builders import as_client, playback
from tests.support.identity import member_headers
from tests.support.pipeline import PATIENCE_S, run_module

MEMBER = "secured-1"
SESSION = "0199a000-0000-7000-8000-00000000{:04x}"
EVENT = "0199a000-0000-7000-8000-0000000e{:04x}"
SESSIONS = 40
"""Enough that some of their starts are in the sample that counts them."""


class Elsewhere(NamedTuple):
    settings: Settings
    stranger: Authority
    """Signed nothing that our engines show."""

    def run(self, *command: str, **changed: str) -> subprocess.CompletedProcess[str]:
        """Run a process of the product with these settings changed."""
        variables = {f"PLAYHEAD_{name.upper()}": value for name, value in changed.items()}
        return run_module(*command, **environment(self.settings) | variables)


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Elsewhere]:
    """Everything up on engines that are not the stack's, and secured."""
    folder = tmp_path_factory.mktemp("authorities")
    authority, stranger = Authority(folder, "ours"), Authority(folder, "stranger")
    outer = Settings()
    base = (outer.port_base or PORT_BASES[outer.stack]) + 600
    settings = Settings(
        stack=f"{outer.stack}-secured",
        port_base=base,
        kafka_bootstrap=f"127.0.0.1:{base + Port.KAFKA}",
        kafka_security_protocol="SASL_SSL",
        kafka_sasl_mechanism="SCRAM-SHA-512",
        kafka_username="playhead",
        kafka_password=SecretStr("sesame-kafka"),
        kafka_ca_file=authority.ca_file,
        registry_url=f"https://127.0.0.1:{base + REGISTRY_TLS}/apis/ccompat/v7",
        registry_username="playhead",
        registry_password=SecretStr("sesame-registry"),
        s3_endpoint=f"https://127.0.0.1:{base + S3_TLS}",
        s3_secret_key=SecretStr("sesame-s3"),
        cassandra_port=base + Port.CASSANDRA,
        cassandra_username="playhead",
        cassandra_password=SecretStr("sesame-cassandra"),
        cassandra_ca_file=authority.ca_file,
        lake_flush_seconds=0.5,
        compaction_threshold=5,
        compaction_keep_live=0,
    )
    stack = Stack(settings)
    stack.wipe()
    try:
        with (
            pytest.MonkeyPatch.context() as environment,
            secured_kafka(settings, authority),
            secured_cassandra(settings, authority),
            secured_registry_and_s3(settings, authority),
        ):
            for name in ("SSL_CERT_FILE", "AWS_CA_BUNDLE"):
                environment.setenv(name, str(authority.ca_file))
            stack.up()
            yield Elsewhere(settings, stranger)
            stack.down()
    finally:
        stack.wipe()


@pytest.fixture(scope="module")
def watched(elsewhere: Elsewhere) -> list[Playback]:
    """Finished sessions of one member, sent over HTTP and read by every consumer."""
    now = system_clock()
    events = [
        playback(
            event_id=EVENT.format(n),
            playback_session_id=SESSION.format(n),
            profile_id=MEMBER,
            session_started_at=now - 1000 * n,
            client_time=now,
            seq=0,
            event_type="ended",
            player_state="stopped",
        )
        for n in range(SESSIONS)
    ]
    answer = httpx.post(
        f"{elsewhere.settings.collector_url}/v1/events",
        json={"sent_at": now, "events": [as_client(event) for event in events]},
        headers={"Authorization": f"Bearer {LOCAL_KEY}"},
        timeout=PATIENCE_S,
    )
    assert answer.json() == {"accepted": SESSIONS, "rejected": []}
    drained = elsewhere.run("infra.cli", "drain")
    assert drained.returncode == 0, drained.stderr
    return events


def test_what_was_sent_over_http_is_in_the_history(elsewhere: Elsewhere, watched: list[Playback]) -> None:
    url = f"{elsewhere.settings.history_url}/v1/profiles/{MEMBER}/viewing-history"
    token = member_headers(elsewhere.settings, MEMBER)
    items = httpx.get(url, params={"limit": 100}, headers=token, timeout=PATIENCE_S).json()["items"]
    assert {item["playback_session_id"] for item in items} == {event.playback_session_id for event in watched}


def test_and_in_the_lake(elsewhere: Elsewhere, watched: list[Playback]) -> None:
    store = ObjectStore(elsewhere.settings)
    objects = read_objects(store, topic="playhead.playback")
    rows = [row["event_id"] for each in objects for _, row in read_rows(each, store.get(each.key))]
    assert sorted(rows) == sorted(event.event_id for event in watched)


def test_and_rolled_up_by_the_compaction_worker(elsewhere: Elsewhere, watched: list[Playback]) -> None:
    session = connect(elsewhere.settings)
    try:
        metadata = asyncio.run(CompressedVH(session).metadata(MEMBER))
    finally:
        close(session)
    assert metadata
    assert sum(chunk.records for chunk in metadata.chunks) > 5


@pytest.mark.parametrize("command", [["ledger"], ["compact", "--all"], ["replay"]], ids=lambda c: c[0])
def test_commands_work(elsewhere: Elsewhere, watched: list[Playback], command: list[str]) -> None:
    done = elsewhere.run("infra.cli", *command)
    assert done.returncode == 0, done.stderr + done.stdout


COLLECTOR, HISTORY, LAKE = ("producers.collector.main",), ("streams.main", "history"), ("streams.main", "lake")
REFUSALS: list[tuple[str, tuple[str, ...]]] = [
    ("PLAYHEAD_KAFKA_PASSWORD", ("infra.cli", "drain")),
    ("PLAYHEAD_KAFKA_PASSWORD", COLLECTOR),
    ("PLAYHEAD_KAFKA_PASSWORD", HISTORY),
    ("PLAYHEAD_KAFKA_CA_FILE", HISTORY),
    ("PLAYHEAD_CASSANDRA_PASSWORD", ("infra.cli", "compact", "--all")),
    ("PLAYHEAD_CASSANDRA_CA_FILE", HISTORY),
    ("PLAYHEAD_REGISTRY_PASSWORD", ("infra.cli", "ledger")),
    ("SSL_CERT_FILE", ("infra.cli", "ledger")),
    ("PLAYHEAD_S3_SECRET_KEY", LAKE),
    ("AWS_CA_BUNDLE", LAKE),
]


def test_a_wrong_password_or_authority_ends_commands_and_workers_with_one_line_that_names_the_setting(
    elsewhere: Elsewhere, watched: list[Playback]
) -> None:
    numbers = itertools.count(2)

    def start(case: tuple[str, tuple[str, ...]]) -> subprocess.CompletedProcess[str]:
        setting, command = case
        wrong = "guessed" if setting.endswith(("PASSWORD", "KEY")) else str(elsewhere.stranger.ca_file)
        # Each worker has its own port, by its number.
        numbered = (*command, "--worker", str(next(numbers))) if command[0] == "streams.main" else command
        return run_module(*numbered, **(environment(elsewhere.settings) | {setting: wrong}))

    with ThreadPoolExecutor(max_workers=3) as pool:
        runs = list(pool.map(start, REFUSALS))
    for (setting, command), run in zip(REFUSALS, runs, strict=True):
        assert run.returncode == 1, (setting, command, run.stderr)
        assert sum(setting in line for line in run.stderr.splitlines()) == 1, (setting, command, run.stderr)
        assert "Traceback" not in run.stderr, (setting, command, run.stderr)
        if command[0] == "infra.cli":
            assert run.stderr.count("\n") == 1, (setting, command, run.stderr)


def test_up_says_so_before_it_starts_a_worker(elsewhere: Elsewhere) -> None:
    settings = elsewhere.settings
    addresses = {
        "registry_url": settings.registry,
        "s3_endpoint": settings.s3 or "",
        "edge_url": settings.edge,
        "gateway_url": settings.gateway,
        "parts": "pipeline",
    }
    name = f"{settings.stack}-2"
    try:
        up = elsewhere.run("infra.cli", "up", stack=name, kafka_password="guessed", **addresses)
    finally:
        Stack(Settings(stack=name, port_base=settings.port_base)).wipe()
    assert up.returncode == 1
    assert "check PLAYHEAD_KAFKA_USERNAME, PLAYHEAD_KAFKA_PASSWORD" in up.stderr.splitlines()[-1]


def test_a_file_of_authorities_that_is_not_there_is_named(elsewhere: Elsewhere) -> None:
    status = elsewhere.run("infra.cli", "status", kafka_ca_file="/nowhere/ca.pem")
    assert status.returncode == 1
    assert status.stderr == "PLAYHEAD_KAFKA_CA_FILE: Path does not point to a file\n"
