"""Builds the Spark session, with the same settings for every job, test and cluster."""

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from pyspark.sql import SparkSession

_S3A = "spark.hadoop.fs.s3a."
# A local job ends before the optimising compiler pays off: without it, 200,000 events take half the CPU seconds.
# Jobs that are big enough to need it run on a cluster. Without it Java keeps 48 MB for compiled code; a run of all jobs
# fills that, and Java stops compiling. Classes take 200 MB; growing to that in steps would be a full collection each.
_SHORT_LIVED = "-XX:TieredStopAtLevel=1 -XX:ReservedCodeCacheSize=256m -XX:MetaspaceSize=256m -XX:+UseSerialGC"
_LOG4J = f"-Dlog4j2.configurationFile=file:{Path(__file__).with_name('log4j2.properties')}"


class Connection(Protocol):
    """An external system that the session connects to: the object store, the catalog."""

    def spark_settings(self) -> dict[str, str]: ...


@dataclass(frozen=True, slots=True)
class ObjectStoreAccess:
    """The lake's object store. ``endpoint`` None means Amazon S3."""

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
            # an unreachable store fails within seconds; the defaults retry for minutes
            _S3A + "attempts.maximum": "3",
            _S3A + "retry.limit": "3",
        }
        if self.endpoint is not None:
            settings |= {_S3A + "endpoint": self.endpoint, _S3A + "path.style.access": "true"}
        return settings


@dataclass(frozen=True, slots=True)
class Cluster:
    """Where a job runs that starts its own driver."""

    master: str
    driver_memory: str
    jars: Path
    """Folder with the connectors' jars (Avro, S3, Iceberg)."""

    def spark_settings(self) -> dict[str, str]:
        settings = {
            "spark.master": self.master,
            "spark.driver.memory": self.driver_memory,
            "spark.jars": ",".join(str(jar) for jar in sorted(self.jars.glob("*.jar"))),
            "spark.driver.extraJavaOptions": _LOG4J,
        }
        if self.local:
            settings |= {
                "spark.driver.host": "127.0.0.1",
                "spark.driver.bindAddress": "127.0.0.1",
                "spark.driver.extraJavaOptions": f"{_LOG4J} {_SHORT_LIVED}",
            }
        return settings

    @property
    def local(self) -> bool:
        return self.master.startswith("local")


def session_settings(
    job: str, connections: Sequence[Connection], cluster: Cluster | None, partitions: int = 8
) -> dict[str, str]:
    """Times are in UTC. ``cluster`` None: ``spark-submit`` has started the driver with its own options."""
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
    """Start the session, or return the running one."""
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    if cluster and cluster.local:
        os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")
    builder: SparkSession.Builder = SparkSession.builder
    for name, value in session_settings(job, connections, cluster, partitions).items():
        builder = builder.config(name, value)
    return builder.getOrCreate()
