"""One Spark session for the whole run: it takes seconds to start. It reads local folders, so it needs no engine."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import pytest
from pyspark.sql import SparkSession

from batch.session import Cluster, ObjectStoreAccess, spark_session
from batch.tables.iceberg_catalog import catalog_settings
from infra.local import jars as packages
from infra.runtime.settings import Settings


@dataclass(frozen=True)
class LocalCatalog:
    """Tables in a folder."""

    warehouse: Path

    def spark_settings(self) -> dict[str, str]:
        return catalog_settings({"type": "hadoop", "warehouse": f"file:{self.warehouse}"})


@pytest.fixture(scope="session")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SparkSession]:
    home = Settings().home
    packages.fetch(home, "spark")
    store = ObjectStoreAccess(endpoint=None, region="us-east-1", access_key="none", secret_key="none")
    connections = (store, LocalCatalog(tmp_path_factory.mktemp("warehouse")))
    session = spark_session("tests", connections, Cluster("local[2]", "1g", packages.folder(home, "spark")), 2)
    yield session
    session.stop()


@pytest.fixture
def namespace() -> str:
    """Tables of this test alone."""
    return f"test_{uuid4().hex[:8]}"
