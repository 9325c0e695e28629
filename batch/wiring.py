"""Starts a job: settings, Spark session, logs. Expected errors become one line and an exit code."""

import atexit
import logging
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import IntEnum
from typing import Any, NoReturn, TextIO
from uuid import uuid4

import structlog
import typer
from pydantic import ValidationError
from pyspark.sql import SparkSession
from rich.console import Console

from batch.progress import Progress, Report
from batch.session import Cluster, Connection, ObjectStoreAccess, spark_session
from batch.tables.audit import AuditFailed
from batch.tables.iceberg_catalog import RestCatalog, SigV4, Token
from batch.tables.ingest import PositionsLost
from batch.tables.lake_errors import LakeError, lake_errors
from batch.tables.schema_guard import SchemaMismatch
from batch.tables.table import ConcurrentCommit
from infra.local import jars, preflight
from infra.local.program import StackError
from infra.runtime import logs
from infra.runtime.settings import Settings
from schemas.errors import TransientError

CONCURRENT_TABLES = 3
"""A small table is mostly round trips to the store and the catalog, so several are updated concurrently."""


class ExitCode(IntEnum):
    MACHINE_UNFIT = 1
    """Java or the connectors' jars are missing."""
    BAD_SETTINGS = 2
    UNREADABLE = 3
    """The lake or the tables cannot be read."""
    UNWRITABLE = 4
    """Pages or lists cannot be written."""
    AUDIT_FAILED = 5
    CONCURRENT_COMMIT = 6


@dataclass(frozen=True, slots=True)
class Job:
    """One run of a job: its Spark session and settings. It logs JSON lines and shows its progress."""

    id: str
    now: datetime
    settings: Settings
    spark: SparkSession
    log: Any
    progress: Progress

    @property
    def root(self) -> str:
        return f"s3a://{self.settings.lake_bucket}"

    @contextmanager
    def step(self, name: str) -> Iterator[Report]:
        """Log and show what the block reports."""
        began = time.monotonic()
        with self.progress.step(name) as count:

            def report(what: str, rows: int) -> None:
                self.log.info(what, step=name, rows=rows, seconds=round(time.monotonic() - began, 1))
                count(what, rows)

            yield report

    def note(self, text: str) -> None:
        self.log.info(text)
        self.progress.note(text)

    def warn(self, text: str) -> None:
        self.log.warning(text)
        self.progress.note(f"warning: {text}")

    def run_steps(self, *groups: Mapping[str, Callable[[Report], None]]) -> None:
        """Run the groups in order; within a group, the steps of a few tables concurrently.

        A failed step does not stop the others. The run then exits with the highest code.
        """
        with ThreadPoolExecutor(CONCURRENT_TABLES) as pool:
            codes = [code for steps in groups for code in pool.map(self._run_step, steps, steps.values())]
        if any(codes):
            raise typer.Exit(max(codes))

    def _run_step(self, name: str, step: Callable[[Report], None]) -> int:
        try:
            with _expected_errors(), self.step(name) as report:
                step(report)
        except JobFailed as failed:
            self.log.error("step failed", step=name, reason=str(failed), code=failed.code)
            typer.secho(str(failed), fg="red", err=True)
            return failed.code
        return 0


class JobFailed(Exception):
    """The reason in one line, and the exit code."""

    def __init__(self, code: ExitCode, reason: str) -> None:
        super().__init__(reason)
        self.code = code


@contextmanager
def job(name: str) -> Iterator[Job]:
    """Run the block with a Spark session. An expected error becomes one line and an exit code.

    The jobs of one command share the session, which ends with the process.
    """
    settings, cluster = load_settings()
    now = datetime.now(UTC)
    run_id = f"{now:%Y%m%dT%H%M%SZ}-{uuid4().hex[:6]}"
    try:
        with _outputs(name, run_id, settings, cluster) as (lines, console), Progress(name, console) as progress:
            log = structlog.get_logger("batch").bind(run=run_id)  # after _outputs, which configures logging
            try:
                with _expected_errors():
                    with _stderr_to(lines):
                        spark = start_spark(name, settings, cluster)
                    yield Job(run_id, now, settings, spark, log, progress)
            except JobFailed as failed:
                log.error("job failed", reason=str(failed), code=failed.code)
                raise
    except JobFailed as failed:
        fail(failed.code, str(failed))


@contextmanager
def _outputs(name: str, run_id: str, settings: Settings, cluster: Cluster | None) -> Iterator[tuple[TextIO, Console]]:
    """Where JSON log lines go, ``logs/jobs/<run>.log`` in the stack's folder, and the console for progress.

    ``spark-submit`` collects what its program prints, so there the JSON lines go to stderr, without progress.
    """
    logging.getLogger("py4j").setLevel(logging.WARNING)
    if cluster is None:
        logs.configure(name, settings.log_level)
        yield sys.stderr, Console(quiet=True)
        return
    file = settings.folder / "logs" / "jobs" / f"{run_id}.log"
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("w", encoding="utf-8") as stream:
        logs.configure(name, settings.log_level, stream)
        logging.captureWarnings(True)
        try:
            yield stream, Console()
        finally:
            logging.captureWarnings(False)
            logging.basicConfig(handlers=[logging.NullHandler()], force=True)  # the file is closed now


@contextmanager
def _stderr_to(stream: TextIO) -> Iterator[None]:
    """Java inherits file descriptor 2: a JVM that starts in the block writes its warnings to ``stream``."""
    if stream is sys.stderr:
        yield
        return
    terminal = os.dup(2)
    os.dup2(stream.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(terminal, 2)
        os.close(terminal)


def start_spark(name: str, settings: Settings, cluster: Cluster | None) -> SparkSession:
    """Start Spark, or return the session that an earlier job of this process has started."""
    spark = spark_session(name, connections(settings), cluster)
    atexit.register(spark.stop)
    return spark


def load_settings() -> tuple[Settings, Cluster | None]:
    """The settings, and where to run the driver; None if ``spark-submit`` has started it."""
    try:
        settings = Settings()
        if "PYSPARK_GATEWAY_PORT" in os.environ:
            return settings, None
        preflight.require_java()
        jars.fetch(settings.home, "spark")
    except ValidationError as error:
        fail(ExitCode.BAD_SETTINGS, str(error))
    except StackError as error:
        fail(ExitCode.MACHINE_UNFIT, str(error))
    return settings, Cluster(settings.spark_master, settings.spark_driver_memory, jars.folder(settings.home, "spark"))


@contextmanager
def _expected_errors() -> Iterator[None]:
    """Raises JobFailed for the errors that an operator can act on."""
    try:
        with lake_errors():
            yield
    except (LakeError, SchemaMismatch, PositionsLost, TransientError) as error:
        raise JobFailed(ExitCode.UNREADABLE, str(error)) from error
    except AuditFailed as error:
        raise JobFailed(ExitCode.AUDIT_FAILED, f"the audit failed, nothing was published: {error}") from error
    except ConcurrentCommit as error:
        raise JobFailed(ExitCode.CONCURRENT_COMMIT, str(error)) from error


def connections(settings: Settings) -> list[Connection]:
    """The object store and the catalog."""
    key, secret = settings.s3_access_key, settings.s3_secret_key.get_secret_value()
    auth: SigV4 | Token | None = None
    if settings.iceberg_auth == "sigv4":
        auth = SigV4(settings.iceberg_signing_name, settings.s3_region, key, secret)
    elif settings.iceberg_auth == "token":
        auth = Token(settings.iceberg_token.get_secret_value())
    return [
        ObjectStoreAccess(settings.s3, settings.s3_region, key, secret),
        RestCatalog(settings.iceberg, settings.iceberg_warehouse, auth),
    ]


def fail(code: ExitCode, message: str) -> NoReturn:
    typer.secho(message, fg="red", err=True)
    raise typer.Exit(code)
