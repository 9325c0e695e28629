from collections.abc import Callable, Sequence

import pytest
from msgspec.structs import replace

from domain.media.publishing import AssetPublisher
from schemas.errors import InvalidEvent, TransientError
from schemas.events import Asset
from tests.support.builders import asset

NEWER = "fedcba9876543210" * 2


class Records:
    """The bucket in a dict. ``meanwhile`` runs once, before a put."""

    def __init__(self) -> None:
        self.held: dict[tuple[str, int], Asset] = {}
        self.meanwhile: Callable[[], object] = lambda: None

    def newest(self, title_id: str) -> Asset | None:
        held = [each for (title, _), each in sorted(self.held.items()) if title == title_id]
        return held[-1] if held else None

    def put_if_absent(self, record: Asset) -> bool:
        meanwhile, self.meanwhile = self.meanwhile, lambda: None
        meanwhile()
        return self.held.setdefault((record.title_id, record.seq), record) is record


class Topic:
    """Kafka in a list. ``meanwhile`` runs once, before a record is appended."""

    def __init__(self) -> None:
        self.log: list[Asset] = []
        self.meanwhile: Callable[[], object] = lambda: None

    def last(self, title_id: str, since: int) -> Asset | None:
        """It got each record when that was made."""
        known = [each for each in self.log if each.title_id == title_id and each.received_at >= since]
        return known[-1] if known else None

    def publish(self, records: Sequence[Asset]) -> None:
        meanwhile, self.meanwhile = self.meanwhile, lambda: None
        meanwhile()
        self.log += records


def away() -> None:
    raise TransientError("Kafka is away")


class Site:
    def __init__(self) -> None:
        self.records, self.topic, self.time = Records(), Topic(), 1_000
        self.publisher = AssetPublisher(self.records, self.topic, lambda: self.time)


def test_the_first_record_of_a_title_has_seq_1_and_is_in_bucket_and_kafka() -> None:
    site = Site()
    published = site.publisher.publish(asset(seq=77))
    assert (published.seq, published.received_at, published.version) == (1, 1_000, asset().version)
    assert site.topic.log == [published] == list(site.records.held.values())


def test_another_version_gets_the_next_seq() -> None:
    site = Site()
    first = site.publisher.publish(asset())
    second = site.publisher.publish(asset(version=NEWER))
    assert (first.seq, second.seq) == (1, 2)
    assert first.event_id != second.event_id


def test_what_is_live_already_is_not_published_again() -> None:
    site = Site()
    first = site.publisher.publish(asset())
    assert site.publisher.publish(asset()) == first
    assert site.topic.log == [first]


def test_another_credit_for_the_same_version_is_a_new_record() -> None:
    site = Site()
    site.publisher.publish(asset())
    assert site.publisher.publish(asset(credit=None)).seq == 2


def test_a_record_that_was_killed_before_kafka_is_published_by_the_next_attempt_under_its_id() -> None:
    site = Site()
    site.topic.meanwhile = away
    with pytest.raises(TransientError):
        site.publisher.publish(asset())
    (stored,) = site.records.held.values()
    assert site.topic.log == []
    assert site.publisher.publish(asset()) == stored
    assert site.topic.log == [stored]


def test_two_publishers_of_different_versions_get_different_seqs() -> None:
    site = Site()
    site.records.meanwhile = lambda: site.publisher.publish(asset(version=NEWER))
    assert site.publisher.publish(asset()).seq == 2
    assert [each.seq for each in site.topic.log] == [1, 2]


def test_two_publishers_of_the_same_version_publish_one_record() -> None:
    site = Site()
    site.records.meanwhile = lambda: site.publisher.publish(asset())
    published = site.publisher.publish(asset())
    assert list(site.records.held.values()) == [published]
    assert site.topic.log == [published]


def test_kafka_ends_with_the_newest_record_even_if_an_older_one_arrives_late() -> None:
    """Compaction would keep the late one."""
    site = Site()
    site.topic.meanwhile = lambda: site.publisher.publish(asset(version=NEWER))
    site.publisher.publish(asset())
    assert [each.seq for each in site.topic.log] == [2, 1, 2]


def test_a_removed_title_keeps_its_record_and_can_come_back() -> None:
    site = Site()
    first = site.publisher.publish(asset())
    removed = site.publisher.remove("ml-50")
    assert removed == replace(first, seq=2, status="removed", event_id=removed.event_id)
    assert site.publisher.remove("ml-50") == removed
    assert site.publisher.publish(asset()).seq == 3


def test_a_title_without_video_cannot_be_removed() -> None:
    with pytest.raises(KeyError):
        Site().publisher.remove("ml-50")


def test_an_asset_that_breaks_a_rule_leaves_nothing_behind() -> None:
    site = Site()
    with pytest.raises(InvalidEvent, match="title_id"):
        site.publisher.publish(asset("a/b"))
    assert site.records.held == {}
