"""Label values are bounded, whatever clients call themselves."""

from domain.quality.cohorts import MOST_VERSIONS, UNUSED_MINUTES, bounded
from domain.quality.figures import Label

Known = dict[Label, dict[str, int]]


def full() -> Known:
    known: Known = {}
    for number in range(MOST_VERSIONS):
        bounded(("tv", f"1.{number}", "NL", "film"), known, minute=number)
    return known


def test_the_first_versions_of_a_device_count_by_name() -> None:
    assert bounded(("tv", "1.0", "NL", "film"), {}, 0) == (("tv", "1.0", "NL", "film"), [])


def test_a_version_too_many_counts_as_other() -> None:
    known = full()
    assert bounded(("tv", "666", "NL", "film"), known, 100) == (("tv", "other", "NL", "film"), [])
    assert bounded(("tv", "1.7", "NL", "film"), known, 100) == (("tv", "1.7", "NL", "film"), [])
    assert bounded(("phone", "666", "NL", "film"), known, 100) == (("phone", "666", "NL", "film"), [])


def test_a_version_that_nobody_has_any_more_gives_way() -> None:
    known = full()
    bounded(("tv", "1.0", "NL", "film"), known, UNUSED_MINUTES)
    counted, gone = bounded(("tv", "2.0", "NL", "film"), known, UNUSED_MINUTES + 1)
    assert (counted, gone) == (("tv", "2.0", "NL", "film"), [("device", "tv", "1.1")])
    assert len(known["device", "tv"]) == MOST_VERSIONS
