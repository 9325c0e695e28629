"""The figures of quality of experience, and the labels they are counted under."""

import msgspec

from domain.quality import formulas

Label = tuple[str, ...]
"""A label set's name and a value for each of its labels: ("device", "tv", "9.4.0")."""
Cohort = tuple[str, str, str, str]
"""Device type, app version, country and title class of a session; never published as a combination."""
LABEL_SETS = {"device": ("device_type", "app_version"), "country": ("country",), "title_class": ("title_class",)}
POINT = 1000
"""Scores are summed in thousandths of a point: integer sums do not depend on the order."""


class Figures(msgspec.Struct, array_like=True, gc=False):
    """Sums over sessions, in total or within one minute. No field ever decreases."""

    views: int = 0
    starts: int = 0
    failures: int = 0
    exits_before_start: int = 0
    playing_ms: int = 0
    rebuffers: int = 0
    rebuffer_ms: int = 0
    startup_ms: int = 0
    viewers: int = 0
    """Sessions viewing in a minute; in a total, viewer minutes."""
    settled_views: int = 0
    settled_starts: int = 0
    startup_score: int = 0
    smoothness_score: int = 0
    success_scored_views: int = 0
    success_score: int = 0
    """The three scores are sums in thousandths of a point."""
    events_expected: int = 0
    events_lost: int = 0
    startups: tuple[int, ...] = ()
    """Views by startup time bucket; empty where no histogram is kept."""

    def start(self, startup_ms: int) -> None:
        """Count a view that saw its first frame."""
        counts = list(self.startups or NO_STARTUPS)
        counts[formulas.startup_bucket(startup_ms)] += 1
        self.starts += 1
        self.startup_ms += startup_ms
        self.startups = tuple(counts)

    def add(self, other: "Figures") -> None:
        """Includes the startup histogram if both have one."""
        for name in NUMBERS:
            if more := getattr(other, name):
                setattr(self, name, getattr(self, name) + more)
        if self.startups and other.startups:
            self.startups = tuple(map(int.__add__, self.startups, other.startups))


NUMBERS = tuple(name for name in Figures.__struct_fields__ if name != "startups")
NO_STARTUPS = (0,) * (len(formulas.STARTUP_BOUNDS_MS) + 1)


def labels(cohort: Cohort) -> tuple[Label, ...]:
    """The three labels a session counts under."""
    device_type, app_version, country, title_class = cohort
    return ("device", device_type, app_version), ("country", country), ("title_class", title_class)


def empty(label: Label) -> Figures:
    """Only the device label set keeps a histogram."""
    return Figures(startups=NO_STARTUPS) if label[0] == "device" else Figures()
