"""One stretch of a partition compared, offset by offset: what Kafka has against what the lake's objects hold."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import polars as pl

from domain.lake import container
from domain.lake.keys import Chain
from domain.lake.ports import ObjectStore
from domain.lake.reading import LakeObject, checked, read_rows
from domain.ledger.dead_letter_index import Letters
from domain.ledger.ports import RecordLog
from domain.ledger.state import HOUR_MS, Finding, HourCounts
from schemas.batch import BatchDecoder
from schemas.framing import HEADER_BYTES
from schemas.topics import TOPICS

Span = tuple[int, int]
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
class Audit:
    kafka: pl.DataFrame
    """KAFKA, what Kafka still has of the stretch: event_id null where there is none; hour since the epoch, of receipt
    (of Kafka's append where a record does not say); appended in ms."""
    lake: pl.DataFrame
    """LAKE: what the objects hold of it."""
    expired: int
    """Offsets that Kafka no longer has: for those the lake's word is all there is."""
    findings: tuple[Finding, ...]

    span: Span

    def hours(self) -> dict[int, HourCounts]:
        """Kafka's records by hour."""
        valid = pl.col("valid")
        by_hour = self.kafka.group_by("hour").agg(valid.sum(), (~valid).sum().alias("invalid"))
        return {hour: HourCounts(good, bad, *self.span) for hour, good, bad in by_hour.iter_rows()}


class _Kafka(NamedTuple):
    start: int
    """Nobody can tell what Kafka held before this offset."""
    payloads: Sequence[bytes | None]
    frame: pl.DataFrame
    """One row a payload."""


class Auditor:
    def __init__(self, log: RecordLog, store: ObjectStore, decoder: BatchDecoder) -> None:
        self._log = log
        self._store = store
        self._decoder = decoder
        self._letters = Letters(log, decoder)

    def audit(self, chain: Chain, span: Span, of: LakeObject | None, log: Span) -> Audit:
        """Compare the offsets of the span with the one object that must hold them; None if there is none.

        ``log``: the offsets that Kafka has now. TransientError while Kafka, the store or the registry is away.
        """
        kafka = self._kafka(chain, (max(span[0], log[0]), min(span[1], log[1])))
        lake, findings = self._compare(chain, span, of, kafka)
        return Audit(kafka.frame, lake, max(0, min(span[1], log[0]) - span[0]), tuple(findings), span)

    def _compare(
        self, chain: Chain, span: Span, of: LakeObject | None, kafka: _Kafka
    ) -> tuple[pl.DataFrame, list[Finding]]:
        nothing = pl.DataFrame(schema=LAKE)
        if of is None:
            return nothing, [found(span, span, IN_NO_OBJECT)]
        if of.kind == "gap":
            return nothing, [found(span, span, "in a gap object: they had left Kafka before the lake read them")]
        try:
            lake = self._rows(of, kafka).filter(inside(span))
        except KeyError:  # gone since it was listed
            return nothing, [found(span, span, IN_NO_OBJECT)]
        except ValueError as error:
            return nothing, [found(span, span, f"unreadable in the lake: {error}")]
        return lake, self._differences(chain, span, kafka.frame, lake.filter(pl.col("offset") >= kafka.start))

    def _kafka(self, chain: Chain, span: Span) -> _Kafka:
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

    def _rows(self, of: LakeObject, kafka: _Kafka) -> pl.DataFrame:
        """LAKE. Raises KeyError when the object is gone, ValueError when it cannot be read."""
        body = checked(of, self._store.get(of.key))
        if of.schema_id is None:  # all of it was invalid
            return pl.DataFrame(schema=LAKE)
        here = kafka.frame.with_row_index("_at").filter(inside((of.start, of.end)) & pl.col("valid"))
        if here.height == of.records and (here["schema_id"] == of.schema_id).all():
            datums = (payload[HEADER_BYTES:] for at in here["_at"] if (payload := kafka.payloads[at]))
            if b"".join(datums) == b"".join(block for _, block in container.read_blocks(body)[1]):
                return here.select(*LAKE)  # byte for byte the same records: decoding them again would tell nothing
        rows = [
            (offset, row.get("event_id"), row["received_at"] // HOUR_MS if "received_at" in row else None)
            for offset, row in read_rows(of, body)
        ]
        return pl.DataFrame(rows, schema=LAKE, orient="row")

    def _differences(self, chain: Chain, span: Span, kafka: pl.DataFrame, lake: pl.DataFrame) -> list[Finding]:
        valid, invalid = kafka.filter("valid"), kafka.filter(~pl.col("valid"))
        missing = valid.join(lake, on=EVENT, how="anti", nulls_equal=True)["offset"]
        surplus = lake.join(valid, on=EVENT, how="anti", nulls_equal=True)["offset"]
        told = self._letters.about(chain, set(invalid["offset"]), min(invalid["appended"], default=None))
        return [
            found(span, run, what)
            for offsets, what in (
                (missing, "in Kafka, but not in the lake object"),
                (surplus, "in the lake, but not in Kafka"),
                (invalid.filter(~pl.col("offset").is_in(told))["offset"], "invalid, and named by no dead letter"),
            )
            for run in _runs(offsets)
        ]


def found(span: Span, at: Span, what: str) -> Finding:
    """``what`` differs ``at`` some offsets of a span that was compared at once."""
    offsets = f"offset {at[0]} is" if at[1] - at[0] == 1 else f"offsets {at[0]} to {at[1] - 1} are"
    return Finding(span, *at, at[1] - at[0], f"{offsets} {what}")


def inside(span: Span) -> pl.Expr:
    return (pl.col("offset") >= span[0]) & (pl.col("offset") < span[1])


def pieces(span: Span, objects: Iterable[LakeObject]) -> Iterator[tuple[Span, LakeObject | None]]:
    """The span cut into what each object must hold, and what no object holds. ``objects``: in order."""
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


def _runs(offsets: pl.Series) -> list[Span]:
    """Offsets that follow each other, as spans."""
    found: list[Span] = []
    for offset in offsets.sort():
        if found and found[-1][1] == offset:
            found[-1] = (found[-1][0], offset + 1)
        else:
            found.append((offset, offset + 1))
    return found
