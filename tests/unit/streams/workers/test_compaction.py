"""Compaction requests: each profile once per batch."""

from domain.history.compaction import Compactor
from domain.history.rollup import RollUpRules
from domain.metrics import COMPACTIONS, SKIPPED
from schemas import avro
from schemas.batch import BatchDecoder
from schemas.codec import encode
from schemas.framing import frame
from streams.runtime.batches import RawBatch
from streams.workers.compaction import CompactionHandler
from tests.support.builders import T0, compaction_request
from tests.support.fake_history import FakeCompressedVH, FakeLiveVH
from tests.support.fake_metrics import FakeMetrics


async def test_each_profile_is_compacted_once_per_batch_and_invalid_payloads_are_counted() -> None:
    metrics = FakeMetrics()
    compactor = Compactor(FakeLiveVH(), FakeCompressedVH(), metrics, RollUpRules(), lambda: T0)
    handler = CompactionHandler(BatchDecoder(lambda _: avro.schema("compaction_request")), compactor, metrics)
    requested = [frame(1, encode(compaction_request(profile_id=profile))) for profile in ("ml-2", "ml-1", "ml-2")]
    payloads = [*requested, b"junk"]
    assert await handler.profiles(payloads) == ["ml-2", "ml-1"]
    assert metrics.by(SKIPPED, "code") == {"not_framed": 1}
    await handler.handle(RawBatch("playhead.compaction", 0, [*payloads], [0, 1, 2, 3], {T0: 4}, 99), lambda: False)
    assert metrics.by(COMPACTIONS, "outcome") == {"nothing due": 2}
