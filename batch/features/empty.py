"""Empty lists and maps instead of the nulls of an outer join."""

from pyspark.sql import Column
from pyspark.sql import functions as F


def or_empty(name: str, kind: str) -> Column:
    """``kind``: the column's type, ``array<…>`` or ``map<key,value>``."""
    return F.coalesce(F.col(name), _empty(kind))


def _empty(kind: str) -> Column:
    if kind.startswith("array"):
        return F.array().cast(kind)
    keys, values = kind.removeprefix("map<").removesuffix(">").split(",")
    return F.map_from_arrays(F.array().cast(f"array<{keys}>"), F.array().cast(f"array<{values}>"))
