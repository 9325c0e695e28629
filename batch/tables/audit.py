"""What must hold of a change before it is published. Anything else publishes nothing and says why."""

from collections.abc import Mapping, Sequence
from functools import reduce
from operator import or_

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from batch.tables.table import Staged
from batch.tables.table_schemas import Definition
from domain.lake.reading import LakeObject


class AuditFailed(Exception):
    """Nothing was published; the message says which check failed, where, and by how much."""


def require_checksums(objects: Sequence[LakeObject], found: Mapping[str, str]) -> None:
    """``found``: key -> SHA-256 of the bytes that the store gives now."""
    for each in objects:
        if found.get(each.key) != each.sha256:
            raise AuditFailed(f"{each.key} does not hold the bytes that were put: its checksum differs")


def require_counts(objects: Sequence[LakeObject], found: Mapping[str, int]) -> None:
    """``found``: key -> rows read. The objects' own metadata say how many there are."""
    for each in objects:
        if found.get(each.key, 0) != each.records:
            raise AuditFailed(f"{each.key} should hold {each.records} records; {found.get(each.key, 0)} were read")


def require_sound(rows_df: DataFrame, definition: Definition) -> int:
    """The number of rows, if required columns have no null, values are in range, and no key is there twice."""
    checks = _checks(definition)
    counted = rows_df.agg(
        F.count("*").alias("rows"),
        F.count_distinct(*definition.key).alias("keys"),
        *(F.count_if(wrong).alias(what) for what, wrong in checks.items()),
    ).first()
    assert counted is not None  # an aggregate without groups always has one row
    faults = [f"{counted[what]} rows where {what}" for what in checks if counted[what]]
    if counted["keys"] != counted["rows"]:
        faults.append(f"{counted['rows']} rows, but only {counted['keys']} distinct {' + '.join(definition.key)}")
    if faults:
        raise AuditFailed(f"{definition.name}: {'; '.join(faults)}")
    return int(counted["rows"])


def publish_if_sound(staged: Staged, written_df: DataFrame) -> int:
    """The number of rows that ``staged`` wrote (``written_df``), now published. Raises AuditFailed, Rival."""
    try:
        rows = require_sound(written_df, staged.table.definition)
    except BaseException:
        staged.discard()
        raise
    staged.publish()
    return rows


def _checks(definition: Definition) -> dict[str, Column]:
    """What would be wrong -> its condition. Nulls answer to their own check only."""
    required = [column.name for column in definition.columns if column.required]
    numbers = [c.name for c in definition.columns if c.type in ("int", "bigint")]
    checks = {f"{name} is null": F.col(name).isNull() for name in required}
    if numbers:
        checks["a count or duration is negative"] = reduce(or_, (_true(F.col(name) < 0) for name in numbers))
    if "event_time" in definition.types:
        checks["event_time is after received_at"] = _true(F.col("event_time") > F.col("received_at"))
    return checks


def _true(condition: Column) -> Column:
    return F.coalesce(condition, F.lit(False))
