"""Freeze a record's schema as a released version: ``python -m tests.support.freeze_schema playback``.

Writes ``tests/golden/<record>/v<N>.avsc`` and ``.json``, some datums with the records that they hold. A frozen
version is never changed: every later schema must read it.
"""

import json
import sys
from pathlib import Path

import msgspec

from schemas import avro
from schemas.codec import encode
from schemas.events import Record
from tests.support.builders import (
    EVENTS,
    account_record,
    asset,
    compaction_request,
    dead_letter,
    entitlement_record,
    revocation_record,
    viewing_record,
)

GOLDEN = Path(__file__).parents[1] / "golden"
EXAMPLES: dict[str, list[Record]] = {
    **{family: [build(), build(account_id=None)] for family, build in EVENTS.items()},
    "viewing_record": [viewing_record(), viewing_record(duration_ms=None, error_code="NET_7", error_fatal=True)],
    "compaction_request": [compaction_request()],
    "dead_letter": [
        dead_letter(),
        dead_letter(topic_id=None, partition=None, offset=None, key=None, value=None, sender=None),
    ],
    "asset": [asset(), asset(status="removed", credit=None, audio=(), subtitles=(), thumbnails=None)],
    "account_record": [
        account_record(),
        account_record(kind="account", profile_id=None, country="NL", maturity=None, kids=None),
        account_record(
            kind="sign_in", profile_id=None, device_id="device-1", device_type="tv", maturity=None, kids=None
        ),
    ],
    "entitlement_record": [entitlement_record(), entitlement_record(seq=2, status="ended", streams=0)],
    "revocation_record": [
        revocation_record(),
        revocation_record(device_id=None, profile_id="ml-1", reason="maturity_lowered"),
    ],
}
EXAMPLES["playback"].append(
    EVENTS["playback"](
        event_type="error",
        player_state="stopped",
        duration_ms=None,
        bitrate_kbps=None,
        error_code="DRM_6001",
        error_fatal=True,
        recommendation_id="row-3/ml-50",
    )
)


def versions(record: str) -> list[int]:
    return sorted(int(path.stem[1:]) for path in (GOLDEN / record).glob("v*.avsc"))


def freeze(record: str) -> Path:
    version = max(versions(record), default=0) + 1
    path = GOLDEN / record / f"v{version}.avsc"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(avro.schema(record), indent=2) + "\n")
    rows = [
        {"datum": encode(example).hex(), "record": json.loads(msgspec.json.encode(example))}
        for example in EXAMPLES[record]
    ]
    path.with_suffix(".json").write_text(json.dumps(rows, indent=2, ensure_ascii=False) + "\n")
    return path


if __name__ == "__main__":
    for name in sys.argv[1:]:
        sys.stdout.write(f"{freeze(name)}\n")
