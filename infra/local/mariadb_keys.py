"""What clients of the local MariaDB trust and know: its certificate, and a secret that passwords are made of."""

import secrets

from domain.processes import OWNERS
from infra.engines.mariadb_nodes import keys_folder, local_password
from infra.local import certificate
from infra.runtime.settings import Settings


def make(settings: Settings) -> None:
    """Make them for a stack that has none yet."""
    folder = keys_folder(settings)
    if (folder / "secret").exists():
        return
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    certificate.write(folder / "certificate.pem", folder / "key.pem")
    (folder / "secret").touch(mode=0o600)
    (folder / "secret").write_text(secrets.token_hex())


def users(settings: Settings) -> str:
    """SQL that gives each service its schema and its user, one statement a line; the server runs it at each start."""
    secret = (keys_folder(settings) / "secret").read_bytes()
    names = [f"{settings.mariadb_prefix}{owner}" for owner in OWNERS]
    return "".join(_user(name, local_password(secret, name)) for name in names)


def _user(name: str, password: str) -> str:
    only = name.replace("_", r"\_")  # a grant takes a pattern
    return f"""\
CREATE SCHEMA IF NOT EXISTS `{name}`;
CREATE USER IF NOT EXISTS `{name}`@`%` IDENTIFIED BY '{password}' REQUIRE SSL;
GRANT ALL PRIVILEGES ON `{only}`.* TO `{name}`@`%`;
"""
