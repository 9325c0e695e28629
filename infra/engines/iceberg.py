"""The lake's Iceberg tables without Spark, through PyIceberg and Polars."""

import os
from collections.abc import Collection
from typing import cast

import polars as pl
import pyarrow as pa
from pyiceberg.catalog import Catalog, load_catalog
from pyiceberg.exceptions import NoSuchTableError, RESTError
from pyiceberg.table import Table
from requests import ConnectionError, Timeout

from domain.lake.positions import POSITIONS_KEY, Positions, decode
from domain.ledger.comparison import row_digest
from domain.ledger.ports import TableRows
from infra.runtime.settings import Settings
from schemas.codec import physical
from schemas.columnar import arrow_schema
from schemas.errors import TransientError
from schemas.topics import TABLE_TOPICS


def load(settings: Settings, name: str) -> Table:
    """A table of our namespace. Raises pyiceberg's NoSuchTableError."""
    return catalog(settings).load_table(f"{settings.iceberg_namespace}.{name}")


def catalog(settings: Settings) -> Catalog:
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
    return load_catalog("lake", **properties)


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


TABLE_ROWS = pl.DataFrame(schema={"event_id": pl.String, "received_at": pl.Int64, "digest": pl.UInt64})


class EventTables:
    """The tables of topics' records, for the ledger. Satisfies ``domain.ledger.ports.Tables``."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def read(self, name: str) -> TableRows | None:
        try:
            table = load(self._settings, name)
            batches = table.scan().to_arrow_batch_reader()
            rows = pl.concat([TABLE_ROWS.clear(), *(_rows(name, batch) for batch in batches)])
        except NoSuchTableError:
            return None
        except (ConnectionError, Timeout, RESTError) as error:
            raise TransientError(f"the Iceberg catalog at {self._settings.iceberg}: {error}") from error
        return TableRows(_positions(table), rows)

    def titles(self) -> tuple[Positions, Collection[str]] | None:
        """Of the table of assets: how far it has read the lake, and the event id of each row. None: there is none."""
        try:
            table = load(self._settings, "assets")
            event_ids = table.scan(selected_fields=("event_id",)).to_arrow()["event_id"].to_pylist()
        except NoSuchTableError:
            return None
        except (ConnectionError, Timeout, RESTError) as error:
            raise TransientError(f"the Iceberg catalog at {self._settings.iceberg}: {error}") from error
        return _positions(table), event_ids


def _rows(name: str, batch: pa.RecordBatch) -> pl.DataFrame:
    """As the ledger compares them: the contract's columns, with times in milliseconds."""
    columns = arrow_schema(physical(TABLE_TOPICS[name].record))
    rows = cast(pl.DataFrame, pl.from_arrow(batch))
    missing = [pl.lit(None).alias(column) for column in columns.names if column not in rows.columns]
    times = [pl.col(column).dt.epoch("ms") for column, kind in rows.schema.items() if isinstance(kind, pl.Datetime)]
    kinds = pl.Schema(columns)
    whole = rows.with_columns(*missing, *times).select(pl.col(column).cast(kind) for column, kind in kinds.items())
    return whole.select("event_id", "received_at").with_columns(digest=row_digest(whole))


def _positions(table: Table) -> Positions:
    """The ingest positions, from the newest snapshot that has them."""
    snapshot = table.current_snapshot()
    while snapshot is not None:
        if snapshot.summary is not None and (text := snapshot.summary.get(POSITIONS_KEY)):
            return decode(text)
        parent = snapshot.parent_snapshot_id
        snapshot = table.snapshot_by_id(parent) if parent is not None else None
    return {}
