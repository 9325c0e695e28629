"""``docs/reference/tables.md``, made from the tables' schemas."""

from batch.features.definitions import FEATURES
from batch.tables.table_schemas import (
    ASSETS,
    CHANGES,
    EVENTS,
    RECORDS,
    SESSIONS,
    SNAPSHOTS,
    TITLES,
    Column,
    TableSchema,
)

HEAD = """\
# Tables

Every Iceberg table with its columns, as `DESCRIBE` shows them. [Query the tables](../guides/query-tables.md) shows how
to read them.
"""
TABLE_HEAD = """\
| column | type | meaning |
|---|---|---|
"""


def page() -> str:
    made = SESSIONS, RECORDS, SNAPSHOTS, TITLES, ASSETS
    return HEAD + "".join(map(_section, (*EVENTS.values(), *CHANGES.values(), *made, *FEATURES)))


def _section(table: TableSchema) -> str:
    key = ", ".join(f"`{column}`" for column in table.key)
    partition = f" Partitioned by `{table.partition}`." if table.partition else ""
    rows = "".join(map(_row, table.columns))
    return (
        f"\n## {table.name}\n\n{table.doc} Key: {key}.{partition}\n\n| column | type | meaning |\n|---|---|---|\n{rows}"
    )


def _row(column: Column) -> str:
    kind = column.type if column.required else f"{column.type}, may be null"
    return f"| `{column.name}` | {kind} | {column.doc.replace('|', chr(92) + '|')} |\n"
