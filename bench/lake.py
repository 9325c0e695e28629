"""Fills a lake with millions of playback events, column by column: one by one would take longer than the benchmark."""

import json
from collections.abc import Iterator

import polars as pl
import pyruhvro

from domain.lake.keys import Chain
from domain.lake.objects import pack
from infra.engines.s3 import ObjectStore
from schemas.avro import physical, schema
from schemas.columnar import arrow_schema
from schemas.topics import EVENT_TOPICS

OBJECT_EVENTS = 50_000
PARTITIONS = 4
START = 1_790_000_000_000
EVENTS_A_SESSION = 40
SPAN_MS = 7 * 24 * 3_600_000
REPEATED = 50
"""One event in this many is written twice."""


def fill(store: ObjectStore, events: int) -> int:
    """Writes events, and one in 50 twice, as the lake sink would; returns the bytes of all objects."""
    own = schema("playback")
    size = 0
    ends = dict.fromkeys(range(PARTITIONS), 0)
    for number, rows in enumerate(_objects(events)):
        partition = number % PARTITIONS
        chain, start = Chain(EVENT_TOPICS["playback"].name, "TopicIdOfTheBench00000", partition), ends[partition]
        ends[partition] = start + rows.height
        batch = rows.to_arrow().cast(arrow_schema(physical(own))).combine_chunks().to_batches()[0]
        datums = pyruhvro.serialize_record_batch(batch, json.dumps(physical(own)), 1)[0].to_pylist()
        file = pack(chain, start, own, datums)
        store.put_if_absent(file.key, file.body, file.metadata)
        size += len(file.body)
    return size


def _objects(events: int) -> Iterator[pl.DataFrame]:
    for start in range(0, events, OBJECT_EVENTS):
        rows = _events(start, min(events, start + OBJECT_EVENTS), events)
        yield pl.concat([rows, rows.gather_every(REPEATED)])


def _events(start: int, stop: int, of: int) -> pl.DataFrame:
    """Events over a week in order of time, 40 per session."""
    number = pl.int_range(start, stop, dtype=pl.Int64)
    session, seq = number // EVENTS_A_SESSION, number % EVENTS_A_SESSION
    began = START + session * (SPAN_MS * EVENTS_A_SESSION // of)
    time = began + seq * 30_000
    mixed = (number * 2_654_435_761) % 4_294_967_291  # spreads ids and choices
    chosen: dict[str, pl.Expr] = {
        "event_id": pl.format("01a0c470-{}-7000-8000-{}", _hex(mixed % 65_536, 4), _hex(number, 12)),
        "playback_session_id": pl.format("01a0c470-0000-7000-9000-{}", _hex(session, 12)),
        "session_started_at": began,
        "client_time": time,
        "sent_at": time + 5,
        "event_time": time + mixed % 300,
        "received_at": time + 5 + mixed % 300,
        "seq": seq,
        "device_id": pl.format("device-{}", session % 50_000),
        "device_type": pl.when(session % 3 == 0).then(pl.lit("phone")).otherwise(pl.lit("tv")),
        "account_id": pl.format("account-{}", session % 50_000),
        "profile_id": pl.format("p-{}", session % 50_000),
        "title_id": pl.format("ml-{}", (session * 7919) % 1682),
        "country": pl.when(session % 5 == 0).then(pl.lit("DE")).otherwise(pl.lit("NL")),
        "event_type": pl.when(seq == 0).then(pl.lit("play_requested")).otherwise(pl.lit("heartbeat")),
        "startup_time_ms": pl.when(seq > 0).then(1_240 + session % 900),
        **dict.fromkeys(("state_since_ms", "playhead_ms", "watched_ms"), seq * 30_000),
    }
    fixed: dict[str, object] = {
        "app_name": "living-room",
        "app_version": "4.2.1",
        "title_class": "film",
        "player_state": "playing",
    }
    fixed |= {"duration_ms": 6_900_000, "bitrate_kbps": 5_800, "error_code": None, "recommendation_id": None}
    fixed |= dict.fromkeys(("paused_ms", "rebuffer_count", "rebuffer_ms", "seek_count"), 0) | {"error_fatal": False}
    names = [field["name"] for field in schema("playback")["fields"]]
    return pl.select((chosen[name] if name in chosen else pl.lit(fixed[name])).alias(name) for name in names)


def _hex(number: pl.Expr, digits: int) -> pl.Expr:
    """Decimal digits are hexadecimal too."""
    return number.cast(pl.String).str.zfill(digits)
