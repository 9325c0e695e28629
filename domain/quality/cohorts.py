"""Limits the number of label values: clients choose their app version, and a hostile client may send thousands."""

from domain.quality.figures import Cohort, Label

MOST_VERSIONS = 50
"""App versions per device type."""
MOST_COUNTRIES = 250
OTHER = "other"
UNUSED_MINUTES = 24 * 60
"""After this long without a session, a new value may replace this one."""


def limit_cardinality(
    cohort: Cohort, label_values: dict[Label, dict[str, int]], minute: int
) -> tuple[Cohort, list[Label]]:
    """The cohort to count under, and the labels it replaced. Updates ``label_values``.

    ``label_values`` maps a label without its last value to the values in use and the minute each was last seen.
    Device types and title classes are enums, so they need no limit.
    """
    device_type, app_version, country, title_class = cohort
    dropped: list[Label] = []

    def admit(scope: Label, value: str, most: int) -> str:
        values = label_values.setdefault(scope, {})
        if value not in values and len(values) >= most:
            oldest = min(values, key=values.__getitem__)
            if minute - values[oldest] < UNUSED_MINUTES:
                return OTHER
            del values[oldest]
            dropped.append((*scope, oldest))
        values[value] = minute
        return value

    version = admit(("device", device_type), app_version, MOST_VERSIONS)
    return (device_type, version, admit(("country",), country, MOST_COUNTRIES), title_class), dropped
