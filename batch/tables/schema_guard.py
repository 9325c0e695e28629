"""Checks that a DataFrame has the columns that a transform needs, for a clear error before Spark runs."""

from collections.abc import Mapping

from pyspark.sql import DataFrame


class SchemaMismatch(Exception):
    """Columns are missing or have another type; the message names each of them."""


def require_columns(any_df: DataFrame, columns: Mapping[str, str]) -> DataFrame:
    """Returns the DataFrame. Raises SchemaMismatch unless it has ``columns`` (name -> Spark type, like ``bigint``)."""
    found = dict(any_df.dtypes)
    problems = [f"{name} is missing" for name in columns if name not in found]
    problems += [
        f"{name} is {found[name]}, expected {expected}"
        for name, expected in columns.items()
        if name in found and found[name] != expected
    ]
    if problems:
        hint = " (`playhead job tables` adds new columns)" if columns.keys() - found.keys() else ""
        raise SchemaMismatch("; ".join(problems) + hint)
    return any_df
