"""Bounds the label values: clients choose their app version, and a hostile one may choose thousands."""

from domain.quality.figures import Cohort, Label

MOST_VERSIONS = 50
"""App versions of one device type."""
MOST_COUNTRIES = 250
OTHER = "other"
UNUSED_MINUTES = 24 * 60
"""A value that no session came with for so long gives way to a new one."""


def bounded(cohort: Cohort, known: dict[Label, dict[str, int]], minute: int) -> tuple[Cohort, list[Label]]:
    """The cohort as it is counted, and the labels that gave way. Changes ``known``.

    ``known``: by label but for its last value, the values in use and the minute in which a session last came with each.
    Device types and title classes are enums: they need no bound.
    """
    device_type, app_version, country, title_class = cohort
    gone: list[Label] = []

    def admitted(scope: Label, value: str, most: int) -> str:
        values = known.setdefault(scope, {})
        if value not in values and len(values) >= most:
            oldest = min(values, key=values.__getitem__)
            if minute - values[oldest] < UNUSED_MINUTES:
                return OTHER
            del values[oldest]
            gone.append((*scope, oldest))
        values[value] = minute
        return value

    version = admitted(("device", device_type), app_version, MOST_VERSIONS)
    return (device_type, version, admitted(("country",), country, MOST_COUNTRIES), title_class), gone
