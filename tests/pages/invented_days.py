"""Two invented weeks of a small service, seeded, so that every run shows the same: a release of one app is bad."""

from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any

import polars as pl

from batch.reports.aggregates import GROUPINGS, LEFT, STARTUPS
from batch.reports.inputs import FUNNEL_COLUMNS, ReportInputs
from batch.reports.page import Run
from domain.quality.formulas import startup_bucket

DAY = date(2026, 3, 2)
MADE_AT = int(datetime(2026, 3, 3, 2, 14, tzinfo=UTC).timestamp() * 1000)
RUN = Run(id="20260303T021400Z-4242", made_at=MADE_AT)
BY_HOUR = (3, 2, 1, 1, 1, 1, 2, 3, 4, 4, 4, 5, 6, 6, 6, 6, 7, 9, 13, 18, 22, 20, 13, 7)
"""How many views an hour of an average day begins."""
APPS = (
    *(("tv", "5.2.0", 30), ("tv", "5.1.3", 12), ("phone", "8.14.0", 16), ("phone", "8.12.0", 12)),
    *(("desktop", "2026.2", 12), ("set_top_box", "1.9.4", 3)),
)
BAD = "8.12.0"
COUNTRIES = ("US", "US", "US", "DE", "DE", "DE", "BR", "BR", "IN", "IN", "GB", "FR", "JP", "KE", "unknown")
TITLES = (
    *(("Star Wars", 1977), ("The Silence of the Lambs", 1991), ("Fargo", 1996), ("The Godfather", 1972)),
    *(("Return of the Jedi", 1983), ("Contact", 1997), ("Chasing Amy", 1997), ("The Full Monty", 1997)),
    *(("The English Patient", 1996), ("L.A. Confidential", 1997), ("Titanic", 1997), ("Casablanca", 1942)),
    *(("Rear Window", 1954), ("Dr. Strangelove or: How I Learned to Stop Worrying and Love the Bomb", 1963)),
)
HOSTILE = '</script><img src=x onerror="document.title=1">'
FAMILIES = {"ui": 21, "playback": 63, "diagnostic": 5, "performance": 8, "processing": 1, "error": 0.2}
AGGREGATES = (
    *("views", "starts", "failures", "exits", "finishes", "watched_ms", "rebuffers", "rebuffer_ms", "events"),
    *("events_sent", *LEFT, *STARTUPS),
)


def view(random: Random, app_version: str) -> dict[str, int]:
    """The aggregates of one view."""
    bad = app_version == BAD
    aggregates = dict.fromkeys(AGGREGATES, 0) | {"views": 1, "events_sent": 63}
    aggregates["events"] = 63 - (random.random() < (0.5 if bad else 0.08)) * random.randint(1, 4)
    if random.random() < (0.09 if bad else 0.012):
        return aggregates | {"failures": 1}
    if random.random() < 0.02:
        return aggregates | {"exits": 1}
    ended = random.choice((0, 0, 1, 2, 3, 4, 4, 4, 4))
    aggregates[LEFT[ended] if ended < len(LEFT) else "finishes"] = 1
    watched = int(100 * 60_000 * min(1, (ended + random.random()) / 4))
    stalls = int(random.expovariate(0.7 if bad else 1.6))
    aggregates[STARTUPS[startup_bucket(int(random.lognormvariate(7.5 if bad else 7.1, 0.4)))]] = 1
    stalled = sum(random.randint(800, 9_000) for _ in range(stalls))
    return aggregates | {"starts": 1, "watched_ms": watched, "rebuffers": stalls, "rebuffer_ms": stalled}


def report_inputs(days: int = 14, **changes: Any) -> ReportInputs:
    """``days`` days up to DAY; one title has a hostile name, and ``ml-9999`` is in no catalogue."""
    random, rows, viewers = Random(8), [], []
    for day in [DAY - timedelta(days=n) for n in range(days)][::-1]:
        minutes = [0] * 1440
        for hour, usual in enumerate(BY_HOUR):
            for _ in range(int(usual * random.uniform(0.5, 1.3) * (1.4 if day.weekday() >= 5 else 1))):
                device, version, _ = random.choices(APPS, [weight for *_, weight in APPS])[0]
                number = min(int(random.expovariate(0.22)), len(TITLES) + 1)
                keys = {"hour": hour, "device_type": device, "app_version": version, "title_id": title_id(number)}
                aggregates = view(random, version)
                rows.append({"day": day, **keys, "country": random.choice(COUNTRIES), **aggregates})
                begins = hour * 60 + random.randrange(60)
                for minute in range(begins, min(1440, begins + aggregates["watched_ms"] // 60_000)):
                    minutes[minute] += 1
        viewers += [{"day": day, "minute": n, "viewers": count} for n, count in enumerate(minutes) if count]
    views = pl.DataFrame(rows, schema_overrides={"hour": pl.Int32}, infer_schema_length=None)
    parts: dict[str, Any] = {
        "aggregates": summed(views),
        "viewers": pl.DataFrame(viewers),
        "funnel": pl.DataFrame([funnel(day, n) for (day,), n in counts(views)]),
        "volumes": pl.DataFrame(
            [
                {"family": family, "day": day, "rows": int(n * each), "bytes": int(n * each * 70)}
                for family, each in FAMILIES.items()
                for (day,), n in counts(views)
            ]
        ),
        "newest": {family: MADE_AT - 40_000 * n for n, family in enumerate(FAMILIES, 1)},
        "titles": {f"ml-{n}": title for n, title in enumerate((*TITLES, (HOSTILE, 1999)))},
    }
    return ReportInputs(**(parts | changes))


def title_id(number: int) -> str:
    return f"ml-{number}" if number <= len(TITLES) else "ml-9999"


def summed(views: pl.DataFrame) -> pl.DataFrame:
    """As ``aggregates_by_day`` makes it."""
    return pl.concat(
        [
            views.group_by("day", *keys).agg(pl.col(*AGGREGATES).sum()).with_columns(grouping=pl.lit(name))
            for name, keys in GROUPINGS.items()
        ],
        how="diagonal",
    )


def counts(views: pl.DataFrame) -> list[tuple[tuple[date], int]]:
    return [((day,), n) for day, n in views.group_by("day").len().sort("day").iter_rows()]


def funnel(day: date, views: int) -> dict[str, Any]:
    choices = (11 * views, int(0.96 * views), int(0.95 * views), int(0.92 * views), int(0.4 * views), int(0.04 * views))
    members = (142, 140, 139, 138, 70, 141)
    return {"day": day, **dict(zip(FUNNEL_COLUMNS, (*choices, *members), strict=True))}


def nothing() -> ReportInputs:
    """Tables without a row."""
    whole = report_inputs(1)
    empty = {name: getattr(whole, name).clear() for name in ("aggregates", "viewers", "funnel", "volumes")}
    return ReportInputs(**empty, newest=dict.fromkeys(FAMILIES), titles={})
