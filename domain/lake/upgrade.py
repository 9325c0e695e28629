"""Datums from older writers' schemas to the newest one, as Avro's own resolution rules say."""

import io
from collections.abc import Callable
from functools import cache
from typing import Any, cast

from fastavro import parse_schema, schemaless_reader, schemaless_writer

from domain.lake.ports import Resolve
from schemas.avro import physical


def upgrade_to(newest: int, resolve: Resolve) -> Callable[[int, bytes], bytes]:
    """A function from (schema id, datum) to the datum under ``newest``; new fields take their defaults.

    It decodes and encodes: only for the few records of a rolling deploy.
    """

    @cache
    def parsed(schema_id: int) -> dict[str, Any]:
        return cast(dict[str, Any], parse_schema(physical(resolve(schema_id))))

    def upgrade(schema_id: int, datum: bytes) -> bytes:
        value = schemaless_reader(io.BytesIO(datum), parsed(schema_id), parsed(newest))
        out = io.BytesIO()
        schemaless_writer(out, parsed(newest), cast(Any, value))
        return out.getvalue()

    return upgrade
