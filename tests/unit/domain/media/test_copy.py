from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.copy_file import CopyFile
from domain.media.copy import AssetCopy
from schemas.events import Asset
from tests.support.builders import asset

RECORDS = st.builds(asset, st.sampled_from(["ml-1", "ml-2", "ml-3"]), st.integers(1, 20))


@given(st.lists(RECORDS), st.randoms())
def test_any_order_of_records_gives_the_highest_seq_of_each_title(records: list[Asset], random: Random) -> None:
    shuffled = records * 2
    random.shuffle(shuffled)
    highest = {
        title: max(each.seq for each in records if each.title_id == title) for title in {r.title_id for r in records}
    }
    assert {each.title_id: each.seq for each in AssetCopy(shuffled).records} == highest


def test_a_removed_title_has_no_asset() -> None:
    copy = AssetCopy([asset(seq=1)])
    assert copy.asset("ml-50") == asset(seq=1)
    copy.take(asset(seq=2, status="removed"))
    assert copy.asset("ml-50") is None
    assert copy.records == [asset(seq=2, status="removed")]


def test_a_status_of_a_newer_contract_is_not_played() -> None:
    assert AssetCopy([asset(status="unknown")]).asset("ml-50") is None


def test_a_file_comes_back_as_it_was() -> None:
    kept = CopyFile("topic-id", {0: 3, 1: 0}, 1_000, [asset(), asset("ml-51", thumbnails=None)])
    assert CopyFile.decoded(kept.encoded(), Asset) == kept


@pytest.mark.parametrize("body", [b"", b"{}", b"[1]", CopyFile("id", {}, 1, [asset()]).encoded()[:-5], b"\xff\x00"])
def test_a_damaged_file_is_refused(body: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        CopyFile.decoded(body, Asset)


def test_a_removed_title_has_a_newest_record_and_no_video() -> None:
    copy = AssetCopy([asset(seq=1), asset(seq=2, status="removed")])
    newest = copy.newest("ml-50")
    assert newest is not None
    assert newest.status == "removed"
    assert copy.asset("ml-50") is None
