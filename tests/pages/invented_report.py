"""An invented viewing report: four weeks of a small service, seeded, so that every run shows the same."""

from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any

from batch.page import Run
from batch.viewing_report import Period, Report, average_week, every_hour

MADE_AT = int(datetime(2026, 3, 2, 20, 14, tzinfo=UTC).timestamp() * 1000)
RUN = Run(id="20260302T201400Z-4242", made_at=MADE_AT)
PERIOD = Period(date(2026, 2, 3), date(2026, 3, 2))
BY_HOUR = (3, 2, 1, 1, 1, 1, 2, 3, 4, 4, 4, 5, 6, 6, 6, 6, 7, 9, 13, 18, 22, 20, 13, 7)
"""How many views an hour of an average day begins."""
VERSIONS = {"tv": ("5.2.0", "5.1.3"), "phone": ("8.14.0", "8.12.0"), "desktop": ("2026.2",), "set_top_box": ("1.9.4",)}
COUNTRIES = ("US", "DE", "BR", "IN", "GB", "FR", "JP", "MX", "PL", "KE", "unknown")
TITLES = (
    ("Star Wars", 1977),
    ("The Silence of the Lambs", 1991),
    ("Fargo", 1996),
    ("The Godfather", 1972),
    ("Return of the Jedi", 1983),
    ("Contact", 1997),
    ("Chasing Amy", 1997),
    ("The Full Monty", 1997),
    ("The English Patient", 1996),
    ("L.A. Confidential", 1997),
    ("Titanic", 1997),
    ("Casablanca", 1942),
    ("Rear Window", 1954),
)
HOSTILE = '</script><img src=x onerror="document.title=1">'


def figures(views: int, random: Random, trouble: float = 1.0) -> dict[str, Any]:
    failures, exits = int(views * 0.012 * trouble), int(views * 0.02)
    return {
        "views": views,
        "starts": views - exits - failures // 2,
        "minutes": views * random.uniform(55, 75),
        "failures": failures,
        "failure_rate": failures / views,
        "exits": exits,
        "exit_rate": exits / views,
        "rebuffer_ratio": 0.002 * trouble * random.uniform(0.8, 1.2),
        "startup_seconds": random.uniform(1.1, 1.6),
    }


def shared(views: int, parts: int) -> list[int]:
    """Views of the first, the second …: each a little less than the one before."""
    weights = [0.8**n for n in range(parts)]
    return [max(1, int(views * weight / sum(weights))) for weight in weights]


def busy_hours(random: Random) -> list[dict[str, Any]]:
    hours = []
    for day in PERIOD.days:
        midnight = datetime(day.year, day.month, day.day, tzinfo=UTC)
        for hour, usual in enumerate(BY_HOUR):
            views = int(usual * random.uniform(0.4, 1.3) * (1.4 if day.weekday() >= 5 else 1))
            moment = midnight + timedelta(hours=hour)
            if views:
                row = figures(views, random) | {"hour": int(moment.timestamp() * 1000)}
                hours.append(row | {"failures": int(random.random() < 0.02 * views)})
    return hours


def report(**changes: Any) -> Report:
    random = Random(8)
    hours = busy_hours(random)
    views = sum(hour["views"] for hour in hours)
    titles = [
        {"title_id": f"ml-{number}", "name": name, "year": year} | figures(share, random)
        for number, ((name, year), share) in enumerate(zip(TITLES, shared(views, len(TITLES)), strict=True), 1)
    ]
    titles += [{"title_id": "ml-9999", "name": "ml-9999", "year": None} | figures(31, random)]
    titles += [{"title_id": "ml-0", "name": HOSTILE, "year": 1999} | figures(30, random)]
    apps = [(device, version) for device, versions in VERSIONS.items() for version in versions]
    fields: dict[str, Any] = {
        "first_day": PERIOD.first.isoformat(),
        "last_day": PERIOD.last.isoformat(),
        "data_until": MADE_AT - 20_000,
        "events": views * 63,
        "outside": 12,
        "totals": figures(views, random, 1.1) | {"profiles": 200},
        "hours": every_hour(hours),
        "week": average_week(hours, PERIOD),
        "titles": titles,
        "devices": [
            {"device_type": device} | figures(share, random)
            for device, share in zip(VERSIONS, shared(views, len(VERSIONS)), strict=True)
        ],
        "app_versions": [
            {"device_type": device, "app_version": version} | figures(share, random, 5 if version == "8.12.0" else 1)
            for (device, version), share in zip(apps, shared(views, len(apps)), strict=True)
        ],
        "countries": [
            {"country": country} | figures(share, random)
            for country, share in zip(COUNTRIES, shared(views, len(COUNTRIES)), strict=True)
        ],
        "meanings": {"starts": "Views in which the first frame was seen."},
    }
    return Report(**(fields | changes))


def empty_report(outside: int) -> Report:
    nothing: dict[str, Any] = figures(1, Random(0)) | dict.fromkeys(
        ("views", "starts", "failures", "exits", "profiles"), 0
    )
    nothing |= dict.fromkeys(("failure_rate", "exit_rate", "rebuffer_ratio", "startup_seconds"), None) | {
        "minutes": None
    }
    none: dict[str, Any] = {name: [] for name in ("hours", "week", "titles", "devices", "app_versions", "countries")}
    return report(totals=nothing, events=0, outside=outside, data_until=None, **none)


def first_minute_report() -> Report:
    """A single view that never started: most figures are unknown."""
    one: dict[str, Any] = figures(1, Random(0)) | {
        "starts": 0,
        "minutes": 0.0,
        "rebuffer_ratio": None,
        "startup_seconds": None,
    }
    hour = one | {"hour": MADE_AT - MADE_AT % 3_600_000}
    today = Period(PERIOD.last, PERIOD.last)
    return report(
        first_day=PERIOD.last.isoformat(),
        totals=one | {"profiles": 1},
        events=1,
        outside=0,
        hours=every_hour([hour]),
        week=average_week([hour], today),
        titles=[{"title_id": "ml-50", "name": "Star Wars", "year": 1977} | one],
        devices=[{"device_type": "tv"} | one],
        app_versions=[{"device_type": "tv", "app_version": "5.2.0"} | one],
        countries=[{"country": "NL"} | one],
    )
