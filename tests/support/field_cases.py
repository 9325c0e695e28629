"""What real players sent to comparable systems, replayed: the case files in ``tests/golden/field``.

A case has variants of one kind, each with its requests and the right values. Everything between runs for real: the
collector's reading and validation, the history worker's fold, merge, roll-up and reader, and the quality worker.

In a request ``after_ms`` is when it arrives, by the server's clock, after the first. ``clock`` is the device's clock as
it sends: milliseconds by which it is wrong, or a date. ``client_time`` and ``session_started_at`` are milliseconds
relative to that clock, or dates. Other fields are those of a heartbeat, unless given. ``repeat`` sends a request
``times`` times, every ``after_ms``, and each time adds to the fields that it names. ``bytes`` puts bytes that JSON
cannot hold in place of a word.
"""

import gzip
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import msgspec
import polars as pl

from domain.history.compaction import Compactor
from domain.history.continue_watching import continue_watching
from domain.history.reading import HistoryReader
from domain.history.rollup import RollUpRules
from domain.history.viewing_record import newest_per_session
from domain.quality.figures import Figures
from domain.quality.processor import QualityProcessor
from producers.collector import body
from producers.collector.sender import SERVICE
from producers.collector.validation import ValidatedRequest, validate
from schemas import avro
from schemas.batch import BatchDecoder
from schemas.codec import encode
from schemas.events import Playback, ViewingRecord
from schemas.framing import frame
from tests.support.fake_history import FakeCompressedVH, FakeLiveVH
from tests.support.fake_metrics import FakeMetrics
from tests.support.fake_quality import FakeCheckpointedMetrics, FakeQualityStore

FOLDER = Path(__file__).parent.parent / "golden" / "field"
NOW = 1_796_000_000_000
HOUR_MS = 3_600_000
TIMES = ("client_time", "session_started_at")
HEARTBEAT: dict[str, Any] = {
    "family": "playback",
    "client_time": 0,
    "device_id": "tv-1",
    "device_type": "tv",
    "app_name": "case",
    "app_version": "1.0",
    "country": "NL",
    "profile_id": "anna",
    "playback_session_id": "01a1f1c0-0000-7000-8000-0000000000aa",
    "session_started_at": -2_700_000,
    "seq": 90,
    "title_id": "ml-50",
    "title_class": "film",
    "event_type": "heartbeat",
    "player_state": "playing",
    "state_since_ms": 60_000,
    "playhead_ms": 2_700_000,
    "duration_ms": 7_260_000,
    "watched_ms": 2_690_000,
    "paused_ms": 0,
    "startup_time_ms": 900,
    "rebuffer_count": 0,
    "rebuffer_ms": 0,
    "seek_count": 0,
    "error_fatal": False,
}
SEARCH: dict[str, Any] = {
    name: HEARTBEAT[name] for name in ("client_time", "device_id", "device_type", "app_name", "app_version")
} | {
    "family": "ui",
    "country": "NL",
    "profile_id": "anna",
    "action": "search",
    "page": "search",
    "query": "star wars",
}


@dataclass(frozen=True)
class Variant:
    name: str
    requests: Sequence[dict[str, Any]]
    quiet_ms: int
    """How long nobody sends anything afterwards."""
    right: dict[str, Any]
    """What must come out, by the names in ``Replayed.values``."""


def variants() -> list[Variant]:
    found = []
    for file in sorted(FOLDER.glob("*.json")):
        for name, each in json.loads(file.read_text())["variants"].items():
            requests = [one for request in each["requests"] for one in _repeated(request)]
            found.append(Variant(f"{file.stem}: {name}", requests, each.get("quiet_ms", 0), each["right"]))
    return found


def _repeated(request: dict[str, Any]) -> list[dict[str, Any]]:
    repeat = dict(request.get("repeat", {"times": 1, "after_ms": 0}))
    times, after_ms = repeat.pop("times"), repeat.pop("after_ms")
    [one, *others] = request["events"]
    return [
        request
        | {
            "after_ms": request.get("after_ms", 0) + n * after_ms,
            "events": [one | {name: one[name] + n * more for name, more in repeat.items()}, *others],
        }
        for n in range(times)
    ]


@dataclass
class Replayed:
    """One variant's way through the pipeline."""

    clock: int = NOW
    requests: list[ValidatedRequest] = field(default_factory=list)
    events: list[Playback] = field(default_factory=list)

    def __post_init__(self) -> None:
        published, decoder = FakeCheckpointedMetrics(), BatchDecoder(lambda _: avro.schema("playback"))
        self._quality = QualityProcessor(
            decoder, FakeQualityStore(), FakeMetrics(), published, HOUR_MS, lambda: self.clock
        )
        self._published = published

    async def send(self, request: dict[str, Any]) -> None:
        await self._let_time_pass(NOW + request["after_ms"])
        sent, headers = _body(request, self.clock, len(self.requests))
        validated = await validate(body.json_text(sent, headers), self.clock, SERVICE)
        self.requests.append(validated)
        events = [each.event for each in validated.accepted.values() if isinstance(each.event, Playback)]
        await self._count(events)
        self.events += events

    async def end(self, quiet_ms: int) -> None:
        await self._let_time_pass(self.clock + quiet_ms)

    async def _let_time_pass(self, until: int) -> None:
        """As a worker checkpoints: every minute at least."""
        await self._quality.assign(1, {0})
        while self.clock < until:
            self.clock = min(until, self.clock + 60_000)
            await self._quality.checkpoint()

    async def _count(self, events: Sequence[Playback]) -> None:
        first = len(self.events)
        payloads: list[bytes | None] = [frame(1, encode(event)) for event in events]
        if payloads:
            records = _Records(payloads, list(range(first, first + len(payloads))))
            self._quality.fold(records, await self._quality.decode(records))
            await self._quality.checkpoint()

    @cached_property
    def figures(self) -> Figures:
        """Over all devices."""
        total = Figures()
        for label, figures in self._published.snapshots[0].totals.items():
            if label[0] == "device":
                total.add(figures)
        return total

    @property
    def viewers(self) -> int:
        return sum(count for label, count in self._published.snapshots[0].viewers.items() if label[0] == "device")

    async def histories(self) -> dict[str, list[ViewingRecord]]:
        """By profile, newest first: whichever event arrives first, in one batch, and after a roll-up."""
        one_by_one = [[event] for event in self.events]
        orders = [one_by_one, one_by_one[::-1], [self.events]] if self.events else []
        found = [await _history(batches, self.clock) for batches in orders]
        assert all(each == found[0] for each in found)
        return found[0] if found else {}

    async def values(self, wanted: dict[str, Any]) -> dict[str, Any]:
        """Those of ``wanted``'s names."""
        histories = await self.histories()
        return {
            "accepted": sum(len(each.accepted) for each in self.requests),
            "refused": [
                [rejected.index, rejected.error.code, rejected.error.field]
                for each in self.requests
                for rejected in each.rejected.values()
            ],
            "continue_watching": {
                profile: [[mark.title_id, mark.bookmark_ms] for mark in continue_watching(records)]
                for profile, records in histories.items()
            },
            "history": {profile: [one.title_id for one in records] for profile, records in histories.items()},
            "newest_seq": {profile: [one.seq for one in records] for profile, records in histories.items()},
            "started_ms_ago": {
                profile: [self.clock - (one.start_time or 0) for one in records]
                for profile, records in histories.items()
            },
            "viewers": self.viewers,
            "figures": {name: getattr(self.figures, name) for name in wanted.get("figures", {})},
        }


@dataclass(frozen=True)
class _Records:
    payloads: list[bytes | None]
    offsets: list[int]
    topic: str = "playhead.playback"
    partition: int = 0


async def _history(batches: Sequence[Sequence[Playback]], now: int) -> dict[str, list[ViewingRecord]]:
    live, compressed = FakeLiveVH(), FakeCompressedVH()
    for events in batches:
        rows = pl.DataFrame([msgspec.structs.asdict(event) for event in events], infer_schema_length=None)
        await live.write(newest_per_session(rows).records)
    reader = HistoryReader(live, compressed, FakeMetrics())
    found = {profile: (await reader.page(profile, 50)).items for profile in live.rows}
    compactor = Compactor(live, compressed, FakeMetrics(), RollUpRules(keep_live=0), lambda: now + 2 * HOUR_MS)
    for profile, records in found.items():
        await compactor.compact(profile)
        assert (await reader.page(profile, 50)).items == records
    return found


def _body(request: dict[str, Any], now: int, number: int) -> tuple[bytes, dict[str, str]]:
    """The request's bytes as they are sent, and its headers."""
    clock = _moment(request.get("clock", 0), now)
    events = [_event(each, clock, f"{number:06d}{index:06d}") for index, each in enumerate(request["events"])]
    sent = json.dumps({"sent_at": clock, "events": events}).encode()
    for word, there in request.get("bytes", {}).items():
        sent = sent.replace(word.encode(), there.encode("latin-1"))
    headers = {"content-type": request.get("content_type", "application/json")}
    if request.get("gzip"):
        sent = gzip.compress(sent)
    if headers["content-type"] == "application/x-www-form-urlencoded":
        sent = urlencode({"data": sent}).encode()
    return sent, headers


def _event(given: dict[str, Any], clock: int, number: str) -> dict[str, Any]:
    base = SEARCH if given.get("family") == "ui" else HEARTBEAT
    event = {"event_id": f"01a1f1c0-0000-7000-8000-{number}"} | base | given
    return event | {name: _moment(event[name], clock) for name in TIMES if name in event}


def _moment(given: int | str, clock: int) -> int:
    return clock + given if isinstance(given, int) else int(datetime.fromisoformat(given).timestamp() * 1000)
