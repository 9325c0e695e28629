"""Quality of experience by device, app version, country and title, over time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from batch.reports.aggregates import GROUPINGS
from batch.reports.inputs import Material
from batch.reports.metrics import figures
from batch.reports.views import UNKNOWN

MOST_GROUPS = 12
FEW_VIEWS = 30
"""Fewer say little: they are shown pale, and nothing is concluded from them."""
TITLES = 12


@dataclass(frozen=True, slots=True)
class Group:
    label: str
    figures: Mapping[str, float | None]
    """Over all its days."""
    cells: Sequence[Mapping[str, float | None] | None]
    """Day by day (of titles: the week before, the week); None where nobody pressed play."""

    @property
    def few(self) -> bool:
        return (self.figures["views"] or 0) < FEW_VIEWS


def by_dimension(material: Material, days: Sequence[date], grouping: str) -> list[Group]:
    """The groups with the most views, versions of one device beside each other, the newest first."""
    keys, by_day = GROUPINGS[grouping], material.by_day(days, grouping)
    found = []
    for row in material.groups(days, grouping)[:MOST_GROUPS]:
        one = tuple(row[key] for key in keys)
        cells = [_figures(by_day.get((day, *one))) for day in days]
        found.append((row, Group(_label(grouping, row), figures(row), cells)))
    if grouping == "version":
        devices = list(dict.fromkeys(row["device_type"] for row, _ in found))
        found.sort(key=lambda pair: _numbers(str(pair[0]["app_version"])), reverse=True)
        found.sort(key=lambda pair: devices.index(pair[0]["device_type"]))
    return [group for _, group in found]


def titles_by_week(material: Material, days: Sequence[date]) -> list[Group]:
    """The titles that were played most in the last seven of the days, each with the seven before."""
    before = {row["title_id"]: row for row in material.groups(days[:-7], "title")}
    return [
        Group(named(material, row["title_id"]), figures(row), (_figures(before.get(row["title_id"])), figures(row)))
        for row in material.groups(days[-7:], "title")[:TITLES]
    ]


def over_all(material: Material, days: Sequence[date]) -> Group:
    by_day = material.by_day(days, "all")
    return Group("all", figures(material.total(days)), [_figures(by_day.get((day,))) for day in days])


def named(material: Material, title_id: str) -> str:
    """The title as people know it; one that the catalogue lacks goes by its id."""
    name, year = material.titles.get(title_id, (title_id, None))
    return f"{name} ({year})" if year else name


def _figures(sums: Mapping[str, Any] | None) -> Mapping[str, float | None] | None:
    return figures(sums) if sums else None


def _label(grouping: str, keys: Mapping[str, Any]) -> str:
    match grouping:
        case "device":
            return _device(keys["device_type"])
        case "version":
            return f"{_device(keys['device_type'])} {keys['app_version']}"
    return "Unknown" if keys["country"] == UNKNOWN else str(keys["country"])


def _device(device_type: str) -> str:
    return "TV" if device_type == "tv" else device_type.replace("_", " ").capitalize()


def _numbers(version: str) -> list[tuple[int, str]]:
    """Sorts 8.12 after 8.9."""
    return [(int(part), "") if part.isdigit() else (-1, part) for part in version.split(".")]
