"""Starts a job: settings, Spark session, a log line a stage; what is known to go wrong becomes one line and a code."""

import atexit
import logging
import os
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any, NoReturn

import structlog
import typer
from pydantic import ValidationError
from pyspark.sql import SparkSession

from batch.session import Cluster, Connection, ObjectStoreAccess, spark_session
from batch.tables.audit import AuditFailed
from batch.tables.iceberg_catalog import RestCatalogue, SigV4, Token
from batch.tables.ingest import PositionsLost, Stage
from batch.tables.lake_errors import LakeError, lake_errors
from batch.tables.schema_guard import SchemaMismatch
from batch.tables.table import Rival
from infra.local import jars, preflight
from infra.local.program import StackError
from infra.runtime import logs
from infra.runtime.settings import Settings
from schemas.errors import TransientError

LACKING, WRONG, UNREADABLE, UNWRITABLE, UNSOUND, RIVALLED = 1, 2, 3, 4, 5, 6
"""Exit codes; ``batch/main.py`` says what they mean."""
TABLES_AT_ONCE = 3
"""A small table is a dozen short questions to store and catalogue: while one waits for its answer, another works."""


@dataclass(frozen=True, slots=True)
class Job:
    """A run: its session, what it was told, where it says what it does."""

    id: str
    now: datetime
    settings: Settings
    spark: SparkSession
    log: Any
    began: float

    @property
    def root(self) -> str:
        return f"s3a://{self.settings.lake_bucket}"

    @property
    def seconds(self) -> float:
        return round(time.monotonic() - self.began, 1)

    def stage(self, name: str, rows: int, **about: str) -> None:
        self.log.info(name, rows=rows, seconds=self.seconds, **about)

    def each(self, *groups: Mapping[str, Callable[[Stage], None]]) -> None:
        """Group after group, of each a few tables at once; what stops one stops no other, and ends the run with its
        code."""
        with ThreadPoolExecutor(TABLES_AT_ONCE) as pool:
            codes = [code for steps in groups for code in pool.map(self._one, steps, steps.values())]
        if any(codes):
            raise typer.Exit(max(codes))

    def _one(self, table: str, step: Callable[[Stage], None]) -> int:
        try:
            with _known_troubles():
                step(partial(self.stage, table=table))
        except _Stopped as stopped:
            typer.secho(str(stopped), fg="red", err=True)
            return stopped.code
        return 0


class _Stopped(Exception):
    """Why, for a person, and the exit code."""

    def __init__(self, code: int, why: str) -> None:
        super().__init__(why)
        self.code = code


@contextmanager
def job(name: str) -> Iterator[Job]:
    """A Spark session by the settings; known troubles become one line and an exit code.

    Jobs named in one command share the session: it ends with the process.
    """
    settings, cluster = configured()
    logs.configure(name, settings.log_level)
    logging.getLogger("py4j").setLevel(logging.WARNING)
    now, began = datetime.now(UTC), time.monotonic()
    run_id = f"{now:%Y%m%dT%H%M%SZ}-{os.getpid()}"
    spark = spark_session(name, connections(settings), cluster)
    atexit.register(spark.stop)
    try:
        with _known_troubles():
            yield Job(run_id, now, settings, spark, structlog.get_logger("batch").bind(run=run_id), began)
    except _Stopped as stopped:
        fail(stopped.code, str(stopped))


def configured() -> tuple[Settings, Cluster | None]:
    """The settings, and where a driver of our own runs; None if ``spark-submit`` has started one."""
    try:
        settings = Settings()
        if "PYSPARK_GATEWAY_PORT" in os.environ:
            return settings, None
        preflight.require_java()
        jars.fetch(settings.home, "spark")
    except ValidationError as error:
        fail(WRONG, str(error))
    except StackError as error:
        fail(LACKING, str(error))
    return settings, Cluster(settings.spark_master, settings.spark_driver_memory, jars.folder(settings.home, "spark"))


@contextmanager
def _known_troubles() -> Iterator[None]:
    try:
        with lake_errors():
            yield
    except (LakeError, SchemaMismatch, PositionsLost, TransientError) as error:
        raise _Stopped(UNREADABLE, str(error)) from error
    except AuditFailed as error:
        raise _Stopped(UNSOUND, f"the audit failed, nothing was published: {error}") from error
    except Rival as error:
        raise _Stopped(RIVALLED, str(error)) from error


def connections(settings: Settings) -> list[Connection]:
    """The lake and the catalogue."""
    key, secret = settings.s3_access_key, settings.s3_secret_key.get_secret_value()
    auth: SigV4 | Token | None = None
    if settings.iceberg_auth == "sigv4":
        auth = SigV4(settings.iceberg_signing_name, settings.s3_region, key, secret)
    elif settings.iceberg_auth == "token":
        auth = Token(settings.iceberg_token.get_secret_value())
    return [
        ObjectStoreAccess(settings.s3, settings.s3_region, key, secret),
        RestCatalogue(settings.iceberg, settings.iceberg_warehouse, auth),
    ]


def fail(code: int, message: str) -> NoReturn:
    typer.secho(message, fg="red", err=True)
    raise typer.Exit(code)
