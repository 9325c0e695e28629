"""One Spark session for the whole run. It reads local folders, so it needs no engine."""

from uuid import uuid4

import pytest
from pyspark.sql import SparkSession

from tests.support.spark import local_spark


@pytest.fixture(scope="session")
def spark() -> SparkSession:
    return local_spark()


@pytest.fixture
def namespace() -> str:
    """Tables of this test alone."""
    return f"test_{uuid4().hex[:8]}"
