"""The expected totals of the quality worker, computed session by session without logs or batches."""

import math
from collections import defaultdict
from collections.abc import Iterable

import polars as pl

from domain.quality.figures import Figures, Label
from domain.quality.formulas import STARTUP_BOUNDS_MS
from schemas import avro
from schemas.batch import BatchDecoder
from schemas.codec import encode
from schemas.events import Playback
from schemas.framing import frame

MINUTE = 60_000
_decoder = BatchDecoder(lambda _: avro.schema("playback"))


def columns(events: Iterable[Playback]) -> pl.DataFrame:
    """Events as the codec hands them to the fold."""
    return _decoder.decode("playback", [frame(1, encode(event)) for event in events]).frame


def expected_totals(events: Iterable[Playback]) -> dict[Label, Figures]:
    """For finalized sessions of which every event was received."""
    sessions: dict[str, list[Playback]] = defaultdict(list)
    for event in events:
        sessions[event.playback_session_id].append(event)
    totals: dict[Label, Figures] = {}
    for session in sessions.values():
        first = session[0]
        ours = _of_session(session)
        for label in (
            ("device", first.device_type, first.app_version),
            ("country", first.country),
            ("title_class", first.title_class),
        ):
            sums = totals.setdefault(label, Figures(startups=(0,) * 19 if label[0] == "device" else ()))
            for name, value in ours.items():
                setattr(sums, name, getattr(sums, name) + value)
            if label[0] == "device" and (startup := _startup(session)) is not None:
                bucket = next((n for n, bound in enumerate(STARTUP_BOUNDS_MS) if startup <= bound), 18)
                sums.startups = tuple(count + (n == bucket) for n, count in enumerate(sums.startups))
    return totals


def without_viewers(totals: dict[Label, Figures]) -> dict[Label, Figures]:
    """Viewer minutes depend on the order of arrival."""
    for figures in totals.values():
        figures.viewers = 0
    return totals


def _startup(session: list[Playback]) -> int | None:
    return next((event.startup_time_ms for event in session if event.startup_time_ms is not None), None)


def _of_session(session: list[Playback]) -> dict[str, int]:
    playing = max(event.watched_ms for event in session)
    stalls, stalled = max(e.rebuffer_count for e in session), max(e.rebuffer_ms for e in session)
    startup, failed = _startup(session), any(event.error_fatal for event in session)
    exited = startup is None and not failed
    left_after = [e.client_time - e.session_started_at for e in session if e.event_type in ("stopped", "ended")]
    by_accident = exited and bool(left_after) and left_after[0] < 1000
    share = stalled / (stalled + playing) if stalled + playing else 0
    smoothness = (100 / math.sqrt(1 + (stalls / 2) ** 2) + 100 * math.exp(-10 * share)) / 2
    seqs = {event.seq for event in session}
    return {
        "views": 1,
        "starts": int(startup is not None),
        "failures": int(failed),
        "exits_before_start": int(exited),
        "playing_ms": playing,
        "rebuffers": stalls,
        "rebuffer_ms": stalled,
        "startup_ms": startup or 0,
        "settled_views": 1,
        "settled_starts": int(startup is not None),
        "startup_score": 0 if startup is None else round(8 / (8 + startup / 1000) * 100_000),
        "smoothness_score": 0 if startup is None else round(smoothness * 1000),
        "success_scored_views": int(not by_accident),
        "success_score": 0 if failed or by_accident else 100_000 if startup is not None else 50_000,
        "events_expected": max(seqs) + 1,
        "events_lost": max(seqs) + 1 - len(seqs),
    }
