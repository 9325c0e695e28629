"""Compares a range of a partition's offsets: Kafka's records against the rows of the lake object."""

from collections.abc import Iterable, Iterator

import polars as pl

from domain.clock import Clock, system_clock
from domain.lake.keys import Chain
from domain.lake.ports import ObjectReader
from domain.lake.reading import LakeObject, read_rows, verified
from domain.ledger.comparison import (
    EVENT,
    KAFKA,
    LAKE,
    NO_EVENTS,
    NO_OFFSETS,
    SESSION,
    UNCHANGED,
    Comparison,
    row_digest,
)
from domain.ledger.dead_letter_index import DeadLetterIndex
from domain.ledger.lake_rows import KafkaRecords, LakeRows, read_lake_rows
from domain.ledger.ports import RecordLog
from domain.ledger.spans import OffsetRange, Part, overlap, runs, within
from domain.ledger.state import HOUR_MS
from schemas.batch import BatchDecoder
from schemas.topics import COMPACTION_LAG_MS, TOPICS

IN_NO_OBJECT = "in no lake object"
IN_TWO_OBJECTS = "in two lake objects"
BEYOND_THE_LOG = "in a lake object, and beyond the end of Kafka's log"


class Comparer:
    def __init__(self, log: RecordLog, store: ObjectReader, decoder: BatchDecoder, now: Clock = system_clock) -> None:
        self._log = log
        self._store = store
        self.decoder = decoder
        self._now = now
        self.dead_letters = DeadLetterIndex(log, decoder)

    def compare(self, chain: Chain, parts: Iterable[Part], log: OffsetRange) -> Iterator[Comparison]:
        """Compare each part, as ``split_by_object`` makes them.

        ``log``: the offsets that Kafka has now. TransientError while Kafka, store or registry is unreachable.
        """
        for run in runs(parts):
            kafka = self._kafka(chain, overlap((run[0][0][0], run[-1][0][1]), log))
            for span, lake_object in run:
                yield self._compare(chain, span, lake_object, kafka, log)

    def _compare(
        self, chain: Chain, span: OffsetRange, lake_object: LakeObject | None, kafka: KafkaRecords, log: OffsetRange
    ) -> Comparison:
        held, problem = LakeRows(pl.DataFrame(schema=LAKE), UNCHANGED, same=False), None
        if lake_object is None:
            problem = IN_NO_OBJECT
        elif lake_object.kind == "gap":
            problem = "in a gap object: they had left Kafka before the lake read them"
        else:
            try:
                held = read_lake_rows(lake_object, self._store.get(lake_object.key), kafka, self.decoder)
            except KeyError:  # deleted since it was listed
                problem = IN_NO_OBJECT
            except ValueError as error:
                problem = f"unreadable in the lake: {error}"
        at = kafka.rows(span)
        records = kafka.frame[at]
        whole = lake_object and span == (lake_object.start, lake_object.end)
        lake = held.frame if whole else held.frame.filter(within(span))
        missing, surplus, superseded = NO_EVENTS, NO_EVENTS, 0
        if not held.same:
            comparable = lake.filter(pl.col("offset") >= log[0])
            if lake_object and TOPICS[chain.topic].compacted and not problem:
                gone = set(comparable["offset"]).difference(records["offset"])
                replaced = self._superseded(chain, lake_object, gone, log)
                comparable, superseded = comparable.filter(~pl.col("offset").is_in(replaced)), len(replaced)
            valid = records.filter("valid")
            missing = valid.join(comparable, on=[*EVENT], how="anti", nulls_equal=True).select(*EVENT)
            surplus = comparable.join(valid, on=[*EVENT], how="anti", nulls_equal=True).select(*EVENT)
        return Comparison(
            span,
            lake_object,
            kafka=records,
            lake=lake,
            expired=max(0, min(span[1], log[0]) - span[0]),
            problem=problem,
            missing=missing,
            surplus=surplus,
            changed=held.changed.within(span),
            superseded=superseded,
            unnamed=NO_OFFSETS if problem else self._unnamed(chain, records),
        )

    def _unnamed(self, chain: Chain, records: pl.DataFrame) -> pl.Series:
        """The offsets of invalid records without a dead letter."""
        if records["valid"].all():
            return NO_OFFSETS
        invalid = records.filter(~pl.col("valid"))
        named = self.dead_letters.find(chain, set(invalid["offset"]), min(invalid["appended"], default=None))
        return invalid["offset"].filter(~invalid["offset"].is_in(named))

    def _superseded(self, chain: Chain, lake_object: LakeObject, gone: set[int], log: OffsetRange) -> set[int]:
        """Those that compaction may have removed: their key has a later record that is older than the lag.

        What compaction removes, it replaces by a record that it may compact, too; so this is exact, by Kafka's clock.
        """
        if not gone:
            return gone
        key, oldest_kept = TOPICS[chain.topic].key, self._now() - COMPACTION_LAG_MS
        old = [
            one
            for batch in self._log.records(chain.topic, chain.partition, *log)
            for one in batch
            if one[2] < oldest_kept
        ]
        decoded = self.decoder.decode(TOPICS[chain.topic].record, [payload for _, payload, _ in old]).frame
        last = {row[key]: old[row["_index"]][0] for row in decoded.select("_index", key).iter_rows(named=True)}
        rows = read_rows(lake_object, verified(lake_object, self._store.get(lake_object.key)))
        return {offset for offset, row in rows if offset in gone and last.get(row[key], -1) > offset}

    def _kafka(self, chain: Chain, span: OffsetRange) -> KafkaRecords:
        if span[0] >= span[1]:
            return KafkaRecords((), pl.DataFrame(schema=KAFKA), pl.DataFrame())
        records = [one for batch in self._log.records(chain.topic, chain.partition, *span) for one in batch]
        payloads = [payload for _, payload, _ in records]
        decoded = self.decoder.decode(TOPICS[chain.topic].record, payloads)
        log_df = pl.DataFrame(
            {
                "offset": pl.Series([offset for offset, _, _ in records], dtype=pl.Int64),
                "appended": pl.Series([appended for _, _, appended in records], dtype=pl.Int64),
                "schema_id": pl.Series(decoded.schema_ids, dtype=pl.Int64),
            }
        ).with_row_index("_index")
        wanted = {"event_id": pl.String, "received_at": pl.Int64, "device_id": pl.String, **SESSION}
        named = [pl.col(name) if name in decoded.frame.columns else pl.lit(None).alias(name) for name in wanted]
        values = decoded.frame.select("_index", *named, pl.lit(True).alias("valid")).with_columns(
            digest=row_digest(decoded.frame)
        )
        joined = log_df.join(values, on="_index", how="left", maintain_order="left").with_columns(
            hour=pl.coalesce("received_at", "appended") // HOUR_MS, valid=pl.col("valid").fill_null(False)
        )
        return KafkaRecords(
            payloads, joined.select(pl.col(name).cast(kind) for name, kind in KAFKA.items()), decoded.frame
        )
