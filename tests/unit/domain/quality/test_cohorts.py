"""The number of label values is limited, whatever versions clients claim."""

from domain.quality.cohorts import MOST_VERSIONS, UNUSED_MINUTES, limit_cardinality
from domain.quality.figures import Label

LabelValues = dict[Label, dict[str, int]]


def full() -> LabelValues:
    values: LabelValues = {}
    for number in range(MOST_VERSIONS):
        limit_cardinality(("tv", f"1.{number}", "NL", "film"), values, minute=number)
    return values


def test_the_first_versions_of_a_device_count_by_name() -> None:
    assert limit_cardinality(("tv", "1.0", "NL", "film"), {}, 0) == (("tv", "1.0", "NL", "film"), [])


def test_one_version_more_counts_as_other() -> None:
    values = full()
    assert limit_cardinality(("tv", "666", "NL", "film"), values, 100) == (("tv", "other", "NL", "film"), [])
    assert limit_cardinality(("tv", "1.7", "NL", "film"), values, 100) == (("tv", "1.7", "NL", "film"), [])
    assert limit_cardinality(("phone", "666", "NL", "film"), values, 100) == (("phone", "666", "NL", "film"), [])


def test_an_unused_version_is_replaced() -> None:
    values = full()
    limit_cardinality(("tv", "1.0", "NL", "film"), values, UNUSED_MINUTES)
    counted, dropped = limit_cardinality(("tv", "2.0", "NL", "film"), values, UNUSED_MINUTES + 1)
    assert (counted, dropped) == (("tv", "2.0", "NL", "film"), [("device", "tv", "1.1")])
    assert len(values["device", "tv"]) == MOST_VERSIONS
