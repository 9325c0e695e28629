"""``make bench-chunks``: chunks of CompressedVH compared with simpler lossless encodings of the same records.

Needs no engine. Bytes are exact and reproducible. Speeds are per core, by processor time, the best of several rounds.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import fmean
from typing import Annotated

import msgspec
import pyarrow as pa
import typer

from bench.histories import history
from domain.history.chunks.chunk import decode, encode, in_order
from domain.history.chunks.columns import COLUMNS
from domain.history.chunks.layout import unpack
from domain.history.merge import encoded
from producers.simulator.synthetic import members
from schemas import codec
from schemas.events import ViewingRecord

SIZES = (20, 100, 500, 2_000)
SPEED_AT = 500
RANDOM_BITS = 74
"""Of a UUIDv7: the part of a record that no encoding can compress."""
Records = list[ViewingRecord]


@dataclass(frozen=True, slots=True)
class Encoding:
    name: str
    encode: Callable[[Records], bytes]
    decode: Callable[[bytes], Records] | None


def _zstd(data: bytes) -> bytes:
    return len(data).to_bytes(4, "little") + bytes(pa.Codec("zstd", compression_level=3).compress(data, asbytes=True))


def _unzstd(data: bytes) -> bytes:
    size = int.from_bytes(data[:4], "little")
    return bytes(pa.Codec("zstd").decompress(data[4:], decompressed_size=size, asbytes=True))


def _rows(records: Records, codec_name: str) -> bytes:
    """One row per record, as Cassandra stores it: key, write time, value; blocks of 16 KiB."""
    rows = b"".join(
        bytes.fromhex(one.playback_session_id.replace("-", "")) + one.write_timestamp.to_bytes(8, "big") + encoded(one)
        for one in sorted(records, key=lambda one: one.playback_session_id)
    )
    blocks = (rows[at : at + 16_384] for at in range(0, len(rows), 16_384))
    return b"".join(pa.Codec(codec_name).compress(block, asbytes=True) for block in blocks)


def _avro(records: Records) -> bytes:
    datums = [codec.encode(one) for one in records]
    return _zstd(b"".join(len(datum).to_bytes(2, "little") + datum for datum in datums))


def _from_avro(data: bytes) -> Records:
    datums, at, records = _unzstd(data), 0, []
    while at < len(datums):
        end = at + 2 + int.from_bytes(datums[at : at + 2], "little")
        records.append(codec.decode("viewing_record", datums[at + 2 : end]))
        at = end
    return records  # type: ignore[return-value]


def _encodings(profile_id: str) -> list[Encoding]:
    json_decoder = msgspec.json.Decoder(list[ViewingRecord])
    return [
        Encoding("a row each, LZ4 blocks (estimate)", lambda records: _rows(records, "lz4_raw"), None),
        Encoding("a row each, Zstd blocks (estimate)", lambda records: _rows(records, "zstd"), None),
        Encoding(
            "JSON + zstd",
            lambda records: _zstd(msgspec.json.encode(records)),
            lambda d: json_decoder.decode(_unzstd(d)),
        ),
        Encoding("Avro + zstd", _avro, _from_avro),
        Encoding("chunk", encode, lambda chunk: decode(chunk, profile_id)),
    ]


def main(
    profiles: Annotated[int, typer.Option(help="Members whose histories are made and encoded.")] = 3,
    rounds: Annotated[int, typer.Option(help="Repetitions for the speeds.")] = 10,
    columns: Annotated[bool, typer.Option(help="Also print the size of each column of a chunk.")] = False,
) -> None:
    histories = [in_order(history(member, max(SIZES))) for member in members(profiles, seed=3)]
    print(f"{profiles} histories; bytes a record in chunks of {SIZES}, speeds in 1,000 records/s at {SPEED_AT}\n")
    print(f"{'':36}" + "".join(f"{size:>8,}" for size in SIZES) + f"{'encode':>10}{'decode':>8}")
    for position in range(len(_encodings(""))):
        encodings = [_encodings(one[0].profile_id)[position] for one in histories]
        sizes = [
            fmean(len(encoding.encode(one[:size])) / size for encoding, one in zip(encodings, histories, strict=True))
            for size in SIZES
        ]
        print(
            f"{encodings[0].name:36}"
            + "".join(f"{size:8.1f}" for size in sizes)
            + _speeds(encodings[0], histories[0], rounds)
        )
    print(f"\nentropy of a session id's random part: {RANDOM_BITS / 8} bytes a record, in every row of this table")
    if columns:
        _print_columns(histories)


def _speeds(encoding: Encoding, records: Records, rounds: int) -> str:
    records = records[:SPEED_AT]
    body = encoding.encode(records)
    encode_s = _seconds(lambda: encoding.encode(records), rounds)
    if encoding.decode is None:
        return ""
    if encoding.decode(body) != records:
        raise AssertionError(f"{encoding.name} is not lossless")
    decoder = encoding.decode
    return f"{SPEED_AT / encode_s / 1e3:10,.0f}{SPEED_AT / _seconds(lambda: decoder(body), rounds) / 1e3:8,.0f}"


def _seconds(work: Callable[[], object], rounds: int) -> float:
    return min(_once(work) for _ in range(rounds))


def _once(work: Callable[[], object]) -> float:
    started = time.process_time()
    work()
    return time.process_time() - started


def _print_columns(histories: list[Records]) -> None:
    print(f"\n{'bits a record':36}" + "".join(f"{size:>8,}" for size in SIZES))
    bodies = {size: [unpack(encode(one[:size]))[1] for one in histories] for size in SIZES}
    for column in COLUMNS:
        bits = (fmean(len(one[column.id]) * 8 / size for one in bodies[size]) for size in SIZES)
        print(f"{column.field:36}" + "".join(f"{bit:8.1f}" for bit in bits))


if __name__ == "__main__":
    typer.run(main)
