"""Who started the stack, as MariaDB's administrator."""

import subprocess

from infra.local import jars
from infra.runtime.settings import Settings


def administrate(settings: Settings, sql: str) -> None:
    client = jars.folder(settings.home, "mariadb") / "bin" / "mariadb"
    data = settings.folder / "mariadb" / "data"  # the whole path of a socket may be too long
    subprocess.run([client, "--no-defaults", "--socket=mariadb.sock"], cwd=data, input=sql, text=True, check=True)
