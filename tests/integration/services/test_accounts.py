"""Accounts as a process on MariaDB: a way through it, a restart, and what it leaves in logs and topics."""

import re
from collections.abc import Callable

import httpx
import pytest

from domain.processes import BY_NAME
from infra.local.stack import Stack
from tests.support.pipeline import eventually

ADDRESS, PASSWORD, NEW = "grep-me@example.com", "grep me nowhere", "grep me not either"


@pytest.fixture
def client(local_stack: Stack, start_workers: Callable[..., None]) -> httpx.Client:
    start_workers("accounts")
    address = local_stack.settings.process_url(BY_NAME["accounts"])
    return httpx.Client(base_url=address, headers={"Origin": address}, timeout=60)


def link(client: httpx.Client, path: str) -> str:
    """The token of the newest mail to this page."""
    found: list[str] = []

    def arrived() -> bool:
        found[:] = re.findall(rf'{path}\?token=([\w-]+)"', client.get("/mailbox").text)
        return bool(found)

    eventually(arrived)
    return found[0]


def test_an_account_lives_through_a_restart_and_nothing_secret_is_written_anywhere(
    client: httpx.Client, local_stack: Stack
) -> None:
    client.post("/v1/accounts", json={"address": ADDRESS}).raise_for_status()
    begin = {"token": link(client, "sign-up/finish"), "password": PASSWORD, "name": "Grep Me", "country": "NL"}
    session = client.post("/v1/accounts/confirm", json=begin).raise_for_status().json()
    wrong = client.post("/v1/session", json={"address": ADDRESS, "password": NEW})
    assert wrong.status_code == 401

    local_stack.restart("accounts")
    eventually(lambda: ready(client))
    refreshed = [
        client.post("/v1/session/refresh", json={"refresh_token": session["refresh_token"]}).raise_for_status().json()
        for _ in range(2)
    ]
    assert refreshed[0]["refresh_token"] == refreshed[1]["refresh_token"]
    bearer = {"Authorization": f"Bearer {refreshed[0]['access_token']}"}
    assert client.get("/v1/accounts/me", headers=bearer).json()["address"] == ADDRESS
    change = {"password": PASSWORD, "new_password": NEW}
    assert client.post("/v1/accounts/me/password", json=change, headers=bearer).status_code == 204
    assert client.post("/v1/session", json={"address": ADDRESS, "password": NEW}).status_code == 200

    secrets = [ADDRESS, PASSWORD, NEW, "Grep Me", begin["token"], session["refresh_token"], session["access_token"]]
    secrets += [refreshed[0]["refresh_token"], refreshed[0]["access_token"], session["device_token"]]
    folder = local_stack.settings.folder
    written = [file for file in folder.rglob("*") if file.is_file() and is_readable(str(file.relative_to(folder)))]
    assert any("accounts" in file.name for file in written)
    for file in written:
        content = file.read_bytes()
        assert [each for each in secrets if each.encode() in content] == [], file


def is_readable(path: str) -> bool:
    """What is written for people and for Kafka: MariaDB's files have addresses and mails, of course."""
    return path.startswith(("logs/", "kafka/")) or path.endswith(".log")


def ready(client: httpx.Client) -> bool:
    try:
        return client.get("/readyz").status_code == 200
    except httpx.TransportError:
        return False
