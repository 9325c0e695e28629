"""The one builder of a Spark session: every job, test and cluster gets the same settings."""

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from pyspark.sql import SparkSession

_S3A = "spark.hadoop.fs.s3a."
# A local job is over before the optimising compiler pays: half the CPU seconds without it at 200,000 events.
# What is big enough to need it goes to a cluster. Java then keeps but 48 MB for compiled code, which a run of all jobs
# fills: it sweeps, then stops compiling. Classes take 200 MB; every step up to that would be a full collection.
_SHORT_LIVED = "-XX:TieredStopAtLevel=1 -XX:ReservedCodeCacheSize=256m -XX:MetaspaceSize=256m -XX:+UseSerialGC"
_QUIET = f"-Dlog4j2.configurationFile=file:{Path(__file__).with_name('log4j2.properties')}"


class Connection(Protocol):
    """Something outside that the session reaches: the object store, the catalogue."""

    def spark_settings(self) -> dict[str, str]: ...


@dataclass(frozen=True, slots=True)
class ObjectStoreAccess:
    """Where the lake lives. ``endpoint`` None means Amazon's own."""

    endpoint: str | None
    region: str
    access_key: str
    secret_key: str

    def spark_settings(self) -> dict[str, str]:
        settings = {
            "spark.hadoop.fs.s3.impl": "org.apache.hadoop.fs.s3a.S3AFileSystem",
            _S3A + "aws.credentials.provider": "org.apache.hadoop.fs.s3a.SimpleAWSCredentialsProvider",
            _S3A + "access.key": self.access_key,
            _S3A + "secret.key": self.secret_key,
            _S3A + "endpoint.region": self.region,
            # a store that is away shows within seconds; the defaults hide it for minutes
            _S3A + "attempts.maximum": "3",
            _S3A + "retry.limit": "3",
        }
        if self.endpoint is not None:
            settings |= {_S3A + "endpoint": self.endpoint, _S3A + "path.style.access": "true"}
        return settings


@dataclass(frozen=True, slots=True)
class Cluster:
    """Where the job runs when it starts its own driver."""

    master: str
    driver_memory: str
    jars: Path
    """Folder with the connectors' jars (Avro, S3, Iceberg)."""

    def spark_settings(self) -> dict[str, str]:
        settings = {
            "spark.master": self.master,
            "spark.driver.memory": self.driver_memory,
            "spark.jars": ",".join(str(jar) for jar in sorted(self.jars.glob("*.jar"))),
            "spark.driver.extraJavaOptions": _QUIET,
        }
        if self.local:
            settings |= {
                "spark.driver.host": "127.0.0.1",
                "spark.driver.bindAddress": "127.0.0.1",
                "spark.driver.extraJavaOptions": f"{_QUIET} {_SHORT_LIVED}",
            }
        return settings

    @property
    def local(self) -> bool:
        return self.master.startswith("local")


def session_settings(
    job: str, connections: Sequence[Connection], cluster: Cluster | None, partitions: int = 8
) -> dict[str, str]:
    """Times are in UTC. ``cluster`` None: ``spark-submit`` has started the driver by its own options."""
    settings = {
        "spark.app.name": f"playhead-{job}",
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.shuffle.partitions": str(partitions),
        "spark.sql.adaptive.enabled": "true",
        **(cluster.spark_settings() if cluster else {}),
    }
    for connection in connections:
        settings |= connection.spark_settings()
    return settings


def spark_session(
    job: str, connections: Sequence[Connection], cluster: Cluster | None, partitions: int = 8
) -> SparkSession:
    """The session of one job."""
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    if cluster and cluster.local:
        os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")
    builder: SparkSession.Builder = SparkSession.builder
    for name, value in session_settings(job, connections, cluster, partitions).items():
        builder = builder.config(name, value)
    return builder.getOrCreate()
