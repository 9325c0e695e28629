"""The Avro schemas of the contract, as dictionaries."""

import json
from functools import cache
from pathlib import Path
from typing import Any, cast

import fastavro
import fastavro.schema

_FOLDER = Path(__file__).parent / "avro"

Schema = dict[str, Any]


@cache
def schema(record: str) -> Schema:
    """``avro/<record>.avsc`` as it is written. Shared: do not change it."""
    loaded: Schema = json.loads((_FOLDER / f"{record}.avsc").read_text())
    return loaded


def physical(schema: Any) -> Any:
    """The same schema without logical types and prose: a uuid is a string, a timestamp a long.

    The bytes are the same. Values stay what the records hold (text and integers), and pyruhvro,
    which panics on some logical types, never meets one.
    """
    if isinstance(schema, dict):
        return {key: physical(value) for key, value in schema.items() if key not in ("logicalType", "doc")}
    if isinstance(schema, list):
        return [physical(branch) for branch in schema]
    return schema


def parsed(schema: Schema) -> Schema:
    """The physical schema as fastavro wants it: checked, with full names."""
    return cast(Schema, fastavro.parse_schema(physical(schema)))


def full_name(schema: Schema) -> str:
    name, namespace = schema["name"], schema.get("namespace")
    return name if "." in name or not namespace else f"{namespace}.{name}"


def fingerprint(schema: Schema) -> str:
    """CRC-64-AVRO of the parsing canonical form: equal for schemas that read the same bytes alike."""
    canonical = fastavro.schema.to_parsing_canonical_form(physical(schema))
    return str(fastavro.schema.fingerprint(canonical, "CRC-64-AVRO"))
