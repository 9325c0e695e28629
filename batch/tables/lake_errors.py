"""Reads the event lake: immutable Avro objects under ``raw/<topic>/<topic id>/partition=<P>/<start>.avro``."""

import json
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from py4j.protocol import Py4JJavaError
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.avro.functions import from_avro

_UNREADABLE_OBJECT = re.compile(r"\[FAILED_READ_FILE[^]]*] .*?\b((?:s3a?|file):\S+?)\.?\s")


class LakeError(Exception):
    """The lake cannot be read; the message names the object or the store's error."""


def events_in(spark: SparkSession, paths: Sequence[str], schema: dict[str, Any]) -> DataFrame:
    """Every record of these objects, in no order; no rows for no paths.

    ``schema`` is the reader's Avro schema: objects of older and newer writers are projected onto it. Spark reads the
    rows when an action runs, so run the action inside ``lake_errors``.
    """
    if not paths:
        datum = from_avro(F.lit(None).cast("binary"), json.dumps(schema))
        return spark.range(0).select(datum.alias("event")).select("event.*")
    return (
        spark.read.format("avro")
        .option("avroSchema", json.dumps(schema))
        .option("recursiveFileLookup", "true")  # or Spark would add a column for the partition number
        .load(list(paths))
    )


@contextmanager
def lake_errors() -> Iterator[None]:
    """Turns a stack trace of Spark or S3 into one ``LakeError`` with the object's name and the root cause."""
    try:
        yield
    except Py4JJavaError as error:
        causes = _causes(error.java_exception)
        unreadable = _UNREADABLE_OBJECT.search("\n".join(causes) + "\n")
        name = f"{unreadable.group(1)} cannot be read" if unreadable else "the lake cannot be read"
        raise LakeError(f"{name}: {causes[-1].splitlines()[0]}") from error


def _causes(throwable: Any) -> list[str]:
    """Messages of a Java exception and its causes, the root cause last."""
    messages = []
    while throwable is not None:
        messages.append(throwable.toString())
        throwable = throwable.getCause()
    return messages
