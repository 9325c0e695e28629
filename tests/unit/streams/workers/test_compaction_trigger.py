"""Members with too many live sessions are noticed at some of their session starts."""

from collections.abc import Sequence

from schemas import avro
from schemas.codec import BatchDecoder, encode
from schemas.errors import TransientError
from schemas.events import CompactionRequest
from schemas.framing import frame
from streams.workers.compaction_requests import Requests
from streams.workers.compaction_trigger import CompactionTrigger
from streams.workers.live_writer import LiveWriter
from tests.support.builders import T0, compaction_request, playback, viewing_record
from tests.support.fake_history import FakeHistoryMetrics, FakeLiveVH

SAMPLED = "018bcfe5-6800-7000-8000-000000000008"
PASSED_OVER = "018bcfe5-6800-7000-8000-000000000009"


class FakeRequests:
    def __init__(self) -> None:
        self.published: list[CompactionRequest] = []
        self.away = False

    async def publish(self, requests: Sequence[CompactionRequest]) -> None:
        if self.away:
            raise TransientError("Kafka is away")
        self.published += requests


async def live_with(sessions: int) -> FakeLiveVH:
    live = FakeLiveVH()
    await live.write([viewing_record(playback_session_id=f"018bcfe5-6800-7000-8000-{n:012d}") for n in range(sessions)])
    return live


async def starting(**changes: object) -> list[str]:
    recorder = LiveWriter(BatchDecoder(lambda _: avro.schema("playback")), FakeLiveVH(), FakeHistoryMetrics())
    return (await recorder.newest("playhead.playback", [frame(1, encode(playback(**changes)))])).starting


async def test_one_start_in_eight_is_looked_at() -> None:
    assert await starting(playback_session_id=SAMPLED, seq=0) == ["ml-1"]
    assert await starting(playback_session_id=SAMPLED, seq=1) == []
    assert await starting(playback_session_id=PASSED_OVER, seq=0) == []


async def test_more_than_the_threshold_asks_for_a_compaction() -> None:
    requests = FakeRequests()
    await CompactionTrigger(await live_with(8), requests, 5, lambda: T0).check(["ml-1", "ml-2"])
    assert requests.published == [compaction_request(profile_id="ml-1", requested_at=T0, live_records=6)]


async def test_the_threshold_itself_does_not() -> None:
    requests = FakeRequests()
    await CompactionTrigger(await live_with(5), requests, 5, lambda: T0).check(["ml-1"])
    assert requests.published == []


async def test_a_request_that_cannot_be_made_is_given_up() -> None:
    requests = FakeRequests()
    requests.away = True
    await CompactionTrigger(await live_with(8), requests, 5, lambda: T0).check(["ml-1"])
    assert requests.published == []


async def test_each_profile_is_compacted_once_a_batch_and_nonsense_is_counted() -> None:
    metrics = FakeHistoryMetrics()
    requests = Requests(BatchDecoder(lambda _: avro.schema("compaction_request")), metrics)
    payloads = [frame(1, encode(compaction_request(profile_id=profile))) for profile in ("ml-2", "ml-1", "ml-2")]
    assert await requests.profiles([*payloads, b"junk"]) == ["ml-2", "ml-1"]
    assert metrics.invalid == {"not_framed": 1}
