"""Checks that a change must pass before it is published. A change that fails one is not published."""

from collections.abc import Mapping, Sequence
from functools import reduce
from operator import or_

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from batch.tables.table import Staged
from batch.tables.table_schemas import TableSchema
from domain.lake.reading import LakeObject


class AuditFailed(Exception):
    """Nothing was published; the message says which check failed, where, and by how much."""


def require_checksums(objects: Sequence[LakeObject], found: Mapping[str, str]) -> None:
    """Raises AuditFailed for an object whose bytes changed. ``found``: key -> SHA-256 of what the store returns now."""
    for each in objects:
        if found.get(each.key) != each.sha256:
            raise AuditFailed(f"{each.key} does not hold the bytes that were written: its checksum differs")


def require_counts(objects: Sequence[LakeObject], found: Mapping[str, int]) -> None:
    """Raises AuditFailed unless each object has as many rows as its metadata say. ``found``: key -> rows read."""
    for each in objects:
        if found.get(each.key, 0) != each.records:
            raise AuditFailed(f"{each.key} should hold {each.records} records; {found.get(each.key, 0)} were read")


def require_sound(rows_df: DataFrame, schema: TableSchema) -> int:
    """Returns the number of rows. Raises AuditFailed for a null in a required column, a value out of range or a
    duplicate key."""
    checks = _checks(schema)
    counted = rows_df.agg(
        F.count("*").alias("rows"),
        F.count_distinct(*schema.key).alias("keys"),
        *(F.count_if(wrong).alias(what) for what, wrong in checks.items()),
    ).first()
    assert counted is not None  # an aggregate without groups always has one row
    faults = [f"{counted[what]} rows where {what}" for what in checks if counted[what]]
    if counted["keys"] != counted["rows"]:
        faults.append(f"{counted['rows']} rows, but only {counted['keys']} distinct {' + '.join(schema.key)}")
    if faults:
        raise AuditFailed(f"{schema.name}: {'; '.join(faults)}")
    return int(counted["rows"])


def publish_if_sound(staged: Staged, written_df: DataFrame) -> int:
    """Publish ``staged``; returns how many rows it wrote (``written_df``). Raises AuditFailed, ConcurrentCommit."""
    try:
        rows = require_sound(written_df, staged.table.schema)
    except BaseException:
        staged.discard()
        raise
    staged.publish()
    return rows


def _checks(schema: TableSchema) -> dict[str, Column]:
    """Description of a fault -> its condition. A null only fails the check for nulls."""
    required = [column.name for column in schema.columns if column.required]
    numbers = [c.name for c in schema.columns if c.type in ("int", "bigint")]
    checks = {f"{name} is null": F.col(name).isNull() for name in required}
    if numbers:
        checks["a count or duration is negative"] = reduce(or_, (_true(F.col(name) < 0) for name in numbers))
    if "event_time" in schema.types:
        checks["event_time is after received_at"] = _true(F.col("event_time") > F.col("received_at"))
    return checks


def _true(condition: Column) -> Column:
    return F.coalesce(condition, F.lit(False))
