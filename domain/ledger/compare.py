"""Compares a range of a partition's offsets: Kafka's records against the rows of the lake object."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import polars as pl

from domain.lake import container
from domain.lake.keys import Chain
from domain.lake.ports import ObjectReader
from domain.lake.reading import LakeObject, read_rows, verified
from domain.ledger.dead_letter_index import DeadLetterIndex
from domain.ledger.ports import RecordLog
from domain.ledger.state import HOUR_MS, Finding, HourCounts
from schemas.codec import BatchDecoder
from schemas.framing import HEADER_BYTES
from schemas.topics import TOPICS

OffsetRange = tuple[int, int]
"""Offsets: start to before end."""
KAFKA = {
    "offset": pl.Int64,
    "event_id": pl.String,
    "hour": pl.Int64,
    "appended": pl.Int64,
    "schema_id": pl.Int64,
    "valid": pl.Boolean,
}
LAKE = {"offset": pl.Int64, "event_id": pl.String, "hour": pl.Int64}
IN_NO_OBJECT = "in no lake object"
EVENT = ["offset", "event_id"]


@dataclass(frozen=True, slots=True)
class Comparison:
    kafka: pl.DataFrame
    """KAFKA: what Kafka still has of the range. event_id is null where a record has none. hour, since the epoch, is the
    hour of receipt, or of Kafka's append where the record does not say. appended is in ms."""
    lake: pl.DataFrame
    """LAKE: the object's rows in the range."""
    expired: int
    """Offsets that Kafka no longer has. They cannot be compared."""
    findings: tuple[Finding, ...]

    span: OffsetRange

    def hours(self) -> dict[int, HourCounts]:
        """Kafka's records by hour."""
        valid = pl.col("valid")
        by_hour = self.kafka.group_by("hour").agg(valid.sum(), (~valid).sum().alias("invalid"))
        return {hour: HourCounts(good, bad, *self.span) for hour, good, bad in by_hour.iter_rows()}


class _Kafka(NamedTuple):
    start: int
    """What Kafka held before this offset is unknown."""
    payloads: Sequence[bytes | None]
    frame: pl.DataFrame
    """One row a payload."""


class Comparer:
    def __init__(self, log: RecordLog, store: ObjectReader, decoder: BatchDecoder) -> None:
        self._log = log
        self._store = store
        self._decoder = decoder
        self._dead_letters = DeadLetterIndex(log, decoder)

    def compare(self, chain: Chain, span: OffsetRange, lake_object: LakeObject | None, log: OffsetRange) -> Comparison:
        """Compare the offsets of the span with the object that must hold them. None: there is no object.

        ``log``: the offsets that Kafka has now. TransientError while Kafka, store or registry is unreachable.
        """
        kafka = self._kafka(chain, (max(span[0], log[0]), min(span[1], log[1])))
        lake, findings = self._compare_object(chain, span, lake_object, kafka)
        return Comparison(kafka.frame, lake, max(0, min(span[1], log[0]) - span[0]), tuple(findings), span)

    def _compare_object(
        self, chain: Chain, span: OffsetRange, lake_object: LakeObject | None, kafka: _Kafka
    ) -> tuple[pl.DataFrame, list[Finding]]:
        nothing = pl.DataFrame(schema=LAKE)
        if lake_object is None:
            return nothing, [Finding.of(span, span, IN_NO_OBJECT)]
        if lake_object.kind == "gap":
            return nothing, [Finding.of(span, span, "in a gap object: they had left Kafka before the lake read them")]
        try:
            lake = self._rows(lake_object, kafka).filter(within(span))
        except KeyError:  # deleted since it was listed
            return nothing, [Finding.of(span, span, IN_NO_OBJECT)]
        except ValueError as error:
            return nothing, [Finding.of(span, span, f"unreadable in the lake: {error}")]
        return lake, self._differences(chain, span, kafka.frame, lake.filter(pl.col("offset") >= kafka.start))

    def _kafka(self, chain: Chain, span: OffsetRange) -> _Kafka:
        if span[0] >= span[1]:
            return _Kafka(span[0], (), pl.DataFrame(schema=KAFKA))
        records = [one for batch in self._log.records(chain.topic, chain.partition, *span) for one in batch]
        payloads = [payload for _, payload, _ in records]
        decoded = self._decoder.decode(TOPICS[chain.topic].record, payloads)
        is_event = "event_id" in decoded.frame.columns
        said = decoded.frame.select("_index", *(["event_id", "received_at"] if is_event else []))
        frame = (
            pl.DataFrame(
                {
                    "offset": pl.Series([offset for offset, _, _ in records], dtype=pl.Int64),
                    "appended": pl.Series([appended for _, _, appended in records], dtype=pl.Int64),
                    "schema_id": pl.Series(decoded.schema_ids, dtype=pl.Int64),
                }
            )
            .with_row_index("_index")
            .join(said.with_columns(valid=True), on="_index", how="left", maintain_order="left")
        )
        if not is_event:
            frame = frame.with_columns(event_id=pl.lit(None, pl.String), received_at=pl.lit(None, pl.Int64))
        return _Kafka(
            span[0],
            payloads,
            frame.with_columns(
                hour=pl.coalesce("received_at", "appended") // HOUR_MS, valid=pl.col("valid").fill_null(False)
            ).select(*KAFKA),
        )

    def _rows(self, lake_object: LakeObject, kafka: _Kafka) -> pl.DataFrame:
        """LAKE. Raises KeyError when the object does not exist, ValueError when it cannot be read."""
        body = verified(lake_object, self._store.get(lake_object.key))
        if lake_object.schema_id is None:  # all of it was invalid
            return pl.DataFrame(schema=LAKE)
        here = kafka.frame.with_row_index("_at").filter(within((lake_object.start, lake_object.end)) & pl.col("valid"))
        if here.height == lake_object.records and (here["schema_id"] == lake_object.schema_id).all():
            datums = (payload[HEADER_BYTES:] for at in here["_at"] if (payload := kafka.payloads[at]))
            if b"".join(datums) == b"".join(block for _, block in container.read_blocks(body)[1]):
                return here.select(*LAKE)  # the same bytes: no need to decode them again
        rows = [
            (offset, row.get("event_id"), row["received_at"] // HOUR_MS if "received_at" in row else None)
            for offset, row in read_rows(lake_object, body)
        ]
        return pl.DataFrame(rows, schema=LAKE, orient="row")

    def _differences(self, chain: Chain, span: OffsetRange, kafka: pl.DataFrame, lake: pl.DataFrame) -> list[Finding]:
        valid, invalid = kafka.filter("valid"), kafka.filter(~pl.col("valid"))
        missing = valid.join(lake, on=EVENT, how="anti", nulls_equal=True)["offset"]
        surplus = lake.join(valid, on=EVENT, how="anti", nulls_equal=True)["offset"]
        named = self._dead_letters.find(chain, set(invalid["offset"]), min(invalid["appended"], default=None))
        return [
            Finding.of(span, run, what)
            for offsets, what in (
                (missing, "in Kafka, but not in the lake object"),
                (surplus, "in the lake, but not in Kafka"),
                (invalid.filter(~pl.col("offset").is_in(named))["offset"], "invalid, and named by no dead letter"),
            )
            for run in _consecutive(offsets)
        ]


def within(span: OffsetRange) -> pl.Expr:
    return (pl.col("offset") >= span[0]) & (pl.col("offset") < span[1])


def split_by_object(
    span: OffsetRange, objects: Iterable[LakeObject]
) -> Iterator[tuple[OffsetRange, LakeObject | None]]:
    """Cut the span into the parts that each object must hold, and the parts in no object. ``objects``: in order."""
    position = span[0]
    for each in objects:
        start, end = max(position, each.start), min(span[1], each.end)
        if start >= span[1]:
            break
        if start < end:
            if start > position:
                yield (position, start), None
            yield (start, end), each
            position = end
    if position < span[1]:
        yield (position, span[1]), None


def _consecutive(offsets: pl.Series) -> list[OffsetRange]:
    """Consecutive offsets, as ranges."""
    ranges: list[OffsetRange] = []
    for offset in offsets.sort():
        if ranges and ranges[-1][1] == offset:
            ranges[-1] = (ranges[-1][0], offset + 1)
        else:
            ranges.append((offset, offset + 1))
    return ranges
