"""One Spark session for the whole run: it takes seconds to start. It reads local folders, so it needs no engine."""

from collections.abc import Iterator

import pytest
from pyspark.sql import SparkSession

from batch.session import Cluster, ObjectStoreAccess, spark_session
from infra.local import packages
from infra.settings import Settings


@pytest.fixture(scope="session")
def spark() -> Iterator[SparkSession]:
    home = Settings().home
    packages.fetch(home, "spark")
    store = ObjectStoreAccess(endpoint=None, region="us-east-1", access_key="none", secret_key="none")
    session = spark_session("tests", store, Cluster("local[2]", "1g", packages.folder(home, "spark")), partitions=2)
    yield session
    session.stop()
