"""Freeze the chunk format, with its columns, as a released version: ``python -m tests.support.freeze_chunk``.

Writes ``tests/golden/chunk/v<N>.bin`` and the records that it holds as JSON. A frozen version is never changed:
later software must decode it for ever.
"""

from pathlib import Path

import msgspec

from domain.history.chunks.chunk import encode, in_order
from schemas.events import ViewingRecord
from tests.support.builders import T0, viewing_record
from tests.support.histories import history

GOLDEN = Path(__file__).parents[1] / "golden" / "chunk"
PROFILE = "ml-1"


def _oddities() -> list[ViewingRecord]:
    """Values that no simulator makes."""
    ids = [f"6ba7b811-9dad-4d10-80b4-00c04fd430c{n}" for n in range(4)]
    return [
        viewing_record(playback_session_id=ids[0], session_started_at=1, event_time=1, received_at=4_102_444_800_000),
        viewing_record(playback_session_id=ids[1], seq=2**31 - 1, paused_ms=31_622_400_000, device_id="télé\x00 ☕"),
        viewing_record(playback_session_id=ids[2], title_id=ids[2], device_id=ids[3].upper(), duration_ms=None),
        viewing_record(playback_session_id=ids[3], session_started_at=T0, recommendation_id=ids[0], error_code=""),
    ]


def main() -> None:
    records = in_order([*history(120, profile_id=PROFILE), *_oddities()])
    path = GOLDEN / f"v{len([*GOLDEN.glob('v*.bin')]) + 1}.bin"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(encode(records))
    lines = b",\n".join(msgspec.json.encode(record) for record in records)
    path.with_suffix(".json").write_bytes(b"[\n" + lines + b"\n]\n")


if __name__ == "__main__":
    main()
