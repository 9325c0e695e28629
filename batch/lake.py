"""Reads the event lake: immutable Avro objects under ``raw/<topic>/<topic id>/partition=<P>/<start>.avro``."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from py4j.protocol import Py4JJavaError
from pyspark.errors import AnalysisException
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.avro.functions import from_avro

_UNREADABLE_OBJECT = re.compile(r"\[FAILED_READ_FILE[^]]*] .*?\b((?:s3a?|file):\S+?)\.?\s")
_TITLES = "title_id string, name string, year int"


class LakeError(Exception):
    """The lake cannot be read; the message names the object, or the store's answer."""


def raw_events(spark: SparkSession, root: str, topic: str, schema: dict[str, Any]) -> DataFrame:
    """Every record of one topic, over all its topic ids and partitions, in no order.

    ``root`` is the lake's address (``s3a://lake``), ``schema`` the reader's Avro schema: objects of older and newer
    writers are projected onto it, so that versions mix. A topic without objects gives an empty DataFrame. A record
    that a client sent twice is there twice. Rows are read later, by an action: put it inside ``lake_errors``.
    """
    reader = (
        spark.read.format("avro")
        .option("avroSchema", json.dumps(schema))
        .option("recursiveFileLookup", "true")  # a partition number says nothing: don't make it a column
        .option("pathGlobFilter", "*.avro")
    )
    try:
        # Down to the partitions by wildcard: listing for itself, Spark passes over a topic id that begins with "_".
        return reader.load(f"{root}/raw/{topic}/*/partition=*")
    except AnalysisException as error:
        _only_if_missing(error)
        datum = from_avro(F.lit(None).cast("binary"), json.dumps(schema))
        return spark.range(0).select(datum.alias("event")).select("event.*")


def titles(spark: SparkSession, root: str) -> DataFrame:
    """The catalogue's title_id, name and year; empty if no catalogue was written."""
    try:
        return spark.read.schema(_TITLES).json(f"{root}/catalogue/titles.jsonl")
    except AnalysisException as error:
        _only_if_missing(error)
        return spark.createDataFrame([], _TITLES)


def _only_if_missing(error: AnalysisException) -> None:
    if error.getCondition() != "PATH_NOT_FOUND":
        raise error


@contextmanager
def lake_errors() -> Iterator[None]:
    """Turns Spark's and S3's stack traces into one ``LakeError`` with the object's name and the cause."""
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
