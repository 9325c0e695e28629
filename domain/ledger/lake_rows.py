"""The rows of a lake object, next to the records that Kafka has at its offsets."""

from collections.abc import Sequence
from itertools import compress
from typing import Any, NamedTuple

import polars as pl

from domain.lake import container
from domain.lake.reading import LakeObject, row_offsets, verified
from domain.ledger.comparison import LAKE, UNCHANGED, Changed
from domain.ledger.spans import OffsetRange
from domain.ledger.state import HOUR_MS
from schemas.batch import BatchDecoder
from schemas.framing import HEADER_BYTES, frame
from schemas.topics import TOPICS


class KafkaRecords(NamedTuple):
    payloads: Sequence[bytes | None]
    frame: pl.DataFrame
    """One row a payload."""
    values: pl.DataFrame
    """As decoded: the valid ones."""

    def rows(self, span: OffsetRange) -> slice:
        """Which payloads lie in the span."""
        offsets = self.frame["offset"]
        return slice(offsets.search_sorted(span[0]), offsets.search_sorted(span[1]))


class LakeRows(NamedTuple):
    """A lake object's rows."""

    frame: pl.DataFrame
    """LAKE."""
    changed: Changed
    same: bool
    """They are, byte for byte, the valid records that Kafka has at the object's offsets."""


def read_lake_rows(lake_object: LakeObject, body: bytes, kafka: KafkaRecords, decoder: BatchDecoder) -> LakeRows:
    """Raises ValueError when the object cannot be read."""
    body = verified(lake_object, body)
    if lake_object.schema_id is None:  # all of it was invalid
        return LakeRows(pl.DataFrame(schema=LAKE), UNCHANGED, same=False)
    at = kafka.rows((lake_object.start, lake_object.end))
    here, payloads = kafka.frame[at], kafka.payloads[at]
    if not here["valid"].all():
        payloads = list(compress(payloads, here["valid"]))
        here = here.filter("valid")
    metadata, blocks = container.read_blocks(body)
    offsets = row_offsets(lake_object, metadata)
    if offsets == here["offset"].to_list() and (here["schema_id"] == lake_object.schema_id).all():
        datums = (payload[HEADER_BYTES:] for payload in payloads if payload)
        if b"".join(datums) == b"".join(block for _, block in blocks):  # the same bytes: no need to decode them again
            return LakeRows(here[[*LAKE]], UNCHANGED, same=True)
    return _decoded(lake_object, body, kafka, decoder)


def _decoded(lake_object: LakeObject, body: bytes, kafka: KafkaRecords, decoder: BatchDecoder) -> LakeRows:
    metadata, datums = container.read_datums(body)
    rows = dict(zip(row_offsets(lake_object, metadata), datums, strict=True))
    payloads = [frame(lake_object.schema_id or 0, datum) for datum in rows.values()]
    decoded = decoder.decode(TOPICS[lake_object.chain.topic].record, payloads).frame
    values = decoded.select(
        "_index",
        pl.col("event_id") if "event_id" in decoded.columns else pl.lit(None, pl.String).alias("event_id"),
        (pl.col("received_at") // HOUR_MS if "received_at" in decoded.columns else pl.lit(None, pl.Int64)).alias(
            "hour"
        ),
    )
    indexed = pl.DataFrame({"offset": pl.Series(list(rows), dtype=pl.Int64)}).with_row_index("_index")
    lake = indexed.join(values, on="_index", how="left", maintain_order="left").select(
        pl.col(name).cast(kind) for name, kind in LAKE.items()
    )
    return LakeRows(lake, _changed(kafka, lake_object, list(rows.items()), decoded), same=False)


def _changed(
    kafka: KafkaRecords, lake_object: LakeObject, rows: list[tuple[int, bytes]], decoded: pl.DataFrame
) -> Changed:
    """Of the rows that have an offset and an event id of Kafka's, those with other values."""
    at = kafka.rows((lake_object.start, lake_object.end))
    if at.start == at.stop:
        return UNCHANGED
    places = {offset: index for index, offset in enumerate(kafka.frame["offset"][at], at.start)}
    theirs = _by_index(kafka.values.filter(pl.col("_index").is_between(at.start, at.stop, "left")))
    ours = _by_index(decoded)
    offsets: list[int] = []
    fields: set[str] = set()
    for index, (offset, datum) in enumerate(rows):
        place = places.get(offset, -1)
        mine, other = ours.get(index), theirs.get(place)
        if mine is None or other is None or mine.get("event_id") != other.get("event_id"):
            continue
        if kafka.payloads[place] == frame(lake_object.schema_id or 0, datum):
            continue
        if differing := {name for name, value in mine.items() if name != "_index" and value != other[name]}:
            offsets.append(offset)
            fields |= differing
    return Changed(pl.Series("offset", offsets, dtype=pl.Int64), tuple(sorted(fields)))


def _by_index(records: pl.DataFrame) -> dict[int, dict[str, Any]]:
    return {row["_index"]: row for row in records.iter_rows(named=True)}
