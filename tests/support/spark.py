"""The tests' one Spark: starting it takes seconds, so all tests of a process share it."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

from pyspark.sql import SparkSession

from batch.session import Cluster, Connection, ObjectStoreAccess, spark_session
from batch.tables.iceberg_catalog import catalog_settings
from infra.local import jars
from infra.runtime.settings import Settings


@dataclass(frozen=True)
class LocalCatalog:
    """Tables in a folder."""

    warehouse: Path

    def spark_settings(self) -> dict[str, str]:
        return catalog_settings({"type": "hadoop", "warehouse": f"file:{self.warehouse}"})


@cache
def local_spark() -> SparkSession:
    """Reads and writes local folders, so it needs no engine. It ends with the process."""
    home = Settings().home
    jars.fetch(home, "spark")
    store = ObjectStoreAccess(endpoint=None, region="us-east-1", access_key="none", secret_key="none")
    connections = (store, LocalCatalog(Path(mkdtemp(prefix="playhead-warehouse-"))))
    return spark_session("tests", connections, Cluster("local[2]", "1g", jars.folder(home, "spark")), 2)


def connected(*connections: Connection) -> SparkSession:
    """A new session in the same JVM, with its own catalog and object store."""
    session = local_spark().newSession()
    for connection in connections:
        for name, value in connection.spark_settings().items():
            if name != "spark.sql.extensions":  # static, and the same
                session.conf.set(name.removeprefix("spark.hadoop."), value)
    return session
