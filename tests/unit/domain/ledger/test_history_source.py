"""The histories that the ledger reads: one that cannot be read costs only itself."""

from domain.history.reading import HistoryReader
from domain.ledger.snapshot import HistorySource
from tests.support.builders import viewing_record
from tests.support.fake_history import FakeCompressedVH, FakeLiveVH
from tests.support.fake_metrics import FakeMetrics


def test_a_profile_with_too_many_deletions_is_left_out() -> None:
    live = FakeLiveVH(most_deletions=0)
    other = viewing_record(profile_id="ml-1")
    live.rows["ml-1"] = {other.playback_session_id: other}
    live.tombstones["giant", other.playback_session_id] = 1
    reader = HistoryReader(live, FakeCompressedVH(), FakeMetrics())
    assert list(HistorySource(["giant", "ml-1"], reader).records()) == [other]
