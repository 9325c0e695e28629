"""Quality of experience by device, app version, country and title, over time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from batch.reports.aggregates import GROUPINGS
from batch.reports.inputs import ReportInputs
from batch.reports.metrics import metrics_of
from batch.reports.views import UNKNOWN

MOST_GROUPS = 12
FEW_VIEWS = 30
"""Groups with fewer views are shown pale and are never named as outliers."""
TITLES = 12


@dataclass(frozen=True, slots=True)
class Group:
    label: str
    metrics: Mapping[str, float | None]
    """Over all days."""
    cells: Sequence[Mapping[str, float | None] | None]
    """By day (for titles: the week before, the week); None without any views."""

    @property
    def has_few_views(self) -> bool:
        return (self.metrics["views"] or 0) < FEW_VIEWS


def by_dimension(inputs: ReportInputs, days: Sequence[date], grouping: str) -> list[Group]:
    """The groups with the most views. Versions are sorted by device, the newest first."""
    keys, by_day = GROUPINGS[grouping], inputs.by_day(days, grouping)
    found = []
    for row in inputs.groups(days, grouping)[:MOST_GROUPS]:
        one = tuple(row[key] for key in keys)
        cells = [_metrics(by_day.get((day, *one))) for day in days]
        found.append((row, Group(_label(grouping, row), metrics_of(row), cells)))
    if grouping == "version":
        devices = list(dict.fromkeys(row["device_type"] for row, _ in found))
        found.sort(key=lambda pair: _numbers(str(pair[0]["app_version"])), reverse=True)
        found.sort(key=lambda pair: devices.index(pair[0]["device_type"]))
    return [group for _, group in found]


def titles_by_week(inputs: ReportInputs, days: Sequence[date]) -> list[Group]:
    """The titles with the most views in the last seven days, each with the seven days before."""
    before = {row["title_id"]: row for row in inputs.groups(days[:-7], "title")}
    return [
        Group(
            title_label(inputs, row["title_id"]),
            metrics_of(row),
            (_metrics(before.get(row["title_id"])), metrics_of(row)),
        )
        for row in inputs.groups(days[-7:], "title")[:TITLES]
    ]


def overall(inputs: ReportInputs, days: Sequence[date]) -> Group:
    by_day = inputs.by_day(days, "all")
    return Group("all", metrics_of(inputs.total(days)), [_metrics(by_day.get((day,))) for day in days])


def title_label(inputs: ReportInputs, title_id: str) -> str:
    """The title's name and year; its id if it is not in the catalogue."""
    name, year = inputs.titles.get(title_id, (title_id, None))
    return f"{name} ({year})" if year else name


def _metrics(aggregates: Mapping[str, Any] | None) -> Mapping[str, float | None] | None:
    return metrics_of(aggregates) if aggregates else None


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
    """A sort key by which 8.12 comes after 8.9."""
    return [(int(part), "") if part.isdigit() else (-1, part) for part in version.split(".")]
