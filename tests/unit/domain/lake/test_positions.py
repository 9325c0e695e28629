"""Positions move with the objects that were read, and are stored as compact JSON."""

from domain.lake.keys import Chain
from domain.lake.objects import pack
from domain.lake.positions import after, decode, encode
from domain.lake.reading import parse_metadata
from tests.unit.streams.lake_sink.fixtures import SCHEMAS, datum

TOPIC = "playhead.playback"


def test_positions_move_to_where_the_chains_end() -> None:
    files = [
        pack(Chain(TOPIC, "AAA", 0), 5, SCHEMAS[1], [datum(n) for n in range(4)]),
        pack(Chain(TOPIC, "AAA", 1), 0, SCHEMAS[1], [datum(n) for n in range(2)]),
    ]
    objects = [parse_metadata(file.key, file.metadata) for file in files]
    positions = {("AAA", 0): 5, ("old", 3): 7}

    assert after(positions, objects) == {("AAA", 0): 9, ("AAA", 1): 2, ("old", 3): 7}


def test_positions_are_compact_json() -> None:
    positions = {("BBB", 0): 4, ("AAA", 2): 9, ("AAA", 10): 7}

    assert encode(positions) == '{"AAA":{"2":9,"10":7},"BBB":{"0":4}}'
    assert decode(encode(positions)) == positions
