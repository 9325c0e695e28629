"""The lake's Iceberg tables without Spark, through PyIceberg and Polars."""

import os
from collections.abc import Sequence

import polars as pl
from pyiceberg.catalog import load_catalog
from pyiceberg.exceptions import NoSuchTableError, RESTError
from pyiceberg.table import Table
from requests import ConnectionError, Timeout

from domain.lake.positions import POSITIONS_KEY, Positions, decode
from infra.runtime.settings import Settings
from schemas.errors import TransientError


def load(settings: Settings, name: str) -> Table:
    """A table of our namespace. Raises pyiceberg's NoSuchTableError."""
    key, secret = settings.s3_access_key, settings.s3_secret_key.get_secret_value()
    properties = {
        "type": "rest",
        "uri": settings.iceberg,
        "warehouse": settings.iceberg_warehouse,
        "py-io-impl": "pyiceberg.io.pyarrow.PyArrowFileIO",
        "s3.region": settings.s3_region,
        "s3.access-key-id": key,
        "s3.secret-access-key": secret,
        **({"s3.endpoint": settings.s3, "s3.path-style-access": "true"} if settings.s3 else {}),
    }
    if settings.iceberg_auth == "sigv4":
        properties |= {
            "rest.sigv4-enabled": "true",
            "rest.signing-name": settings.iceberg_signing_name,
            "rest.signing-region": settings.s3_region,
            "client.region": settings.s3_region,
            "client.access-key-id": key,
            "client.secret-access-key": secret,
        }
    elif settings.iceberg_auth == "token":
        properties |= {"token": settings.iceberg_token.get_secret_value()}
    return load_catalog("lake", **properties).load_table(f"{settings.iceberg_namespace}.{name}")


def scan(settings: Settings, name: str) -> pl.LazyFrame:
    """The table's rows as a Polars query; Polars reads the files itself."""
    os.environ.setdefault("POLARS_ICEBERG_PLANNER", "pyiceberg")  # Polars' own planner needs another package
    access = {
        "aws_region": settings.s3_region,
        "aws_access_key_id": settings.s3_access_key,
        "aws_secret_access_key": settings.s3_secret_key.get_secret_value(),
        **({"aws_endpoint_url": settings.s3, "aws_allow_http": "true"} if settings.s3 else {}),
    }
    return pl.scan_iceberg(load(settings, name), storage_options=access)


class EventTables:
    """The families' tables, for the ledger. Satisfies ``domain.ledger.ports.Tables``."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def read(self, family: str) -> tuple[Positions, Sequence[str]] | None:
        try:
            table = load(self._settings, family)
            ids = table.scan(selected_fields=("event_id",)).to_arrow()["event_id"].to_pylist()
        except NoSuchTableError:
            return None
        except (ConnectionError, Timeout, RESTError) as error:
            raise TransientError(f"the Iceberg catalog at {self._settings.iceberg}: {error}") from error
        return _positions(table), ids


def _positions(table: Table) -> Positions:
    """The ingest positions, from the newest snapshot that has them."""
    snapshot = table.current_snapshot()
    while snapshot is not None:
        if snapshot.summary is not None and (text := snapshot.summary.get(POSITIONS_KEY)):
            return decode(text)
        parent = snapshot.parent_snapshot_id
        snapshot = table.snapshot_by_id(parent) if parent is not None else None
    return {}
