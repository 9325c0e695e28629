import msgspec
import pytest

from domain.ledger.state import Finding
from domain.metrics import BACKEND_UP, BACKEND_WRITABLE, GROUP_LAG
from domain.titles.catalogue import Catalogue
from services.ops.document import Issue, LedgerTopic, Live, Source
from services.ops.state import MAX_MEMBERS, OpsState
from tests.pages.site import EVENING
from tests.support.builders import playback
from tests.support.evening_viewing import MEMBER, MEMBERS
from tests.unit.services.conftest import Services


async def live(services: Services) -> Live:
    answer = await services.client.get("/v1/live")
    assert answer.headers["cache-control"] == "no-store"
    return msgspec.json.decode(answer.content, type=Live)


async def pass_time(services: Services, seconds: int) -> None:
    for _ in range(0, seconds, 2):
        services.evening.pass_time(2)
        await services.pollers.once()


async def test_before_any_source_answered_the_document_says_so(services: Services) -> None:
    document = await live(services)
    assert (document.ledger, document.writes, document.processes) == (None, [], [])
    assert {(s.read_at, s.error) for s in document.sources} == {(None, "has not answered yet")}


async def test_the_document_shows_the_evening(services: Services) -> None:
    await pass_time(services, 20)
    document = await live(services)
    assert 164 <= document.rates.values["playback"][-1] <= 320
    assert set(document.lag.values) == {
        "playhead.history",
        "playhead.compaction",
        "playhead.quality",
        "playhead.lake",
    }
    assert document.dead_letters.total == 5
    assert document.dead_letters.newest[0].place == "playhead.playback[2]@4211"
    assert document.dead_letters.newest[1].place == "playhead.playback"
    assert [process.name for process in document.processes] == [
        "collector",
        "history",
        "compaction",
        "quality",
        "lake",
        "ledger",
        "relay",
        "history-api",
        "playback",
        "accounts",
        "ops",
    ]
    assert all(process.up and round(process.cpu_share or 0, 2) == 0.21 for process in document.processes)


async def test_the_document_says_what_the_ledger_compared_and_what_differs(services: Services) -> None:
    await services.pollers.once()
    ledger = (await live(services)).ledger
    assert ledger
    assert (ledger.last_hour, ledger.this_hour) == (197_249, 65_756)
    assert ledger.topics[-1] == LedgerTopic("playhead.ui", kafka=52_000, waiting=0, differing=0)
    assert ledger.findings == []
    services.evening.missing["playhead.ui", 2] = (Finding((40, 80), 41, 43, 2, "offsets 41 to 42 are gone"),)
    services.evening.ends["playhead.ui", 0] += 9
    services.evening.now += 2_000
    await services.pollers.once()
    ledger = (await live(services)).ledger
    assert ledger
    assert ledger.topics[-1] == LedgerTopic("playhead.ui", kafka=52_009, waiting=9, differing=2)
    assert ledger.findings == ["playhead.ui[2]: offsets 41 to 42 are gone"]


async def test_a_write_is_stored_once_the_history_answers_with_it(services: Services) -> None:
    await services.pollers.once()
    newest = services.state.playback[0]
    assert (await live(services)).writes[0].stored
    services.state.observe_playback([msgspec.structs.replace(newest, seq=newest.seq + 1), *services.state.playback])
    services.evening.now += 1_000
    write = (await live(services)).writes[0]
    assert (write.playback_session_id, write.stored) == (newest.playback_session_id, False)


async def test_a_source_that_is_unreachable_keeps_its_last_numbers_and_their_age(services: Services) -> None:
    await pass_time(services, 10)
    before = await live(services)
    services.evening.away |= {"kafka", "lake", "history"}
    await pass_time(services, 10)
    after = await live(services)
    assert after.rates == before.rates
    assert after.sources[0] == Source("kafka", "Kafka", EVENING + 10_000, "no broker can be reached")
    assert after.sources[1] == Source("cassandra", "Cassandra", EVENING + 20_000, None)
    assert [process.up for process in after.processes] == [
        True,
        False,
        True,
        True,
        False,
        True,
        True,
        True,
        True,
        True,
        True,
    ]
    services.evening.away.clear()
    await pass_time(services, 2)
    assert all(source.error is None for source in (await live(services)).sources)


async def test_a_store_that_answers_and_stores_nothing_is_named(services: Services) -> None:
    gauges = services.evening.metrics.gauges
    await services.pollers.once()
    assert gauges[BACKEND_WRITABLE]["s3",] == 1
    services.evening.away.add("room")
    await services.pollers.once()
    assert gauges[BACKEND_WRITABLE]["s3",] == 0
    assert gauges[BACKEND_UP]["s3",] == 1
    named = [issue for issue in (await live(services)).issues if issue.panel == "sources"]
    assert named == [Issue("The object store stores nothing", "No writable volumes", "sources")]


async def test_what_cannot_have_changed_is_not_read_again(services: Services) -> None:
    evening = services.evening
    await services.pollers.once()
    evening.asked.clear()
    watched = services.state.playback[0]
    evening.sessions.append(newer := msgspec.structs.replace(watched, seq=watched.seq + 1, received_at=evening.now + 1))
    evening.ends["playhead.playback", 3] += 1
    await services.pollers.once()
    await services.pollers.once()
    assert evening.asked.count(newer.profile_id) == 2, "its newest state is not stored yet"
    assert set(evening.asked) == {newer.profile_id}


async def test_each_poll_measures_its_backend(services: Services) -> None:
    await services.pollers.once()
    gauges = services.evening.metrics.gauges
    assert gauges[BACKEND_UP] == {(name,): 1 for name in ("kafka", "cassandra", "s3", "registry", "mariadb")}
    assert gauges[GROUP_LAG]["playhead.lake",] == 0
    services.evening.away |= {"kafka", "lake"}
    await services.pollers.once()
    assert gauges[BACKEND_UP] == {("kafka",): 0, ("cassandra",): 1, ("s3",): 0, ("registry",): 1, ("mariadb",): 1}
    assert gauges[GROUP_LAG] == {}


async def test_a_poller_that_crashes_ends_the_others(services: Services) -> None:
    services.evening.newest = lambda *_: 1 / 0  # type: ignore[assignment, method-assign]
    with pytest.raises(ZeroDivisionError):
        await services.pollers.forever()


async def test_damaged_titles_leave_ids_in_place_of_names(services: Services) -> None:
    services.evening.get = lambda _: b"not JSON"  # type: ignore[method-assign, assignment]
    await services.pollers.once()
    assert {write.title for write in (await live(services)).writes} >= {"ml-50"}


async def test_many_pages_share_one_document(services: Services) -> None:
    await services.pollers.once()
    first = (await services.client.get("/v1/live")).content
    services.state.processes = ()
    assert (await services.client.get("/v1/live")).content == first
    services.evening.now += 1_000
    assert (await services.client.get("/v1/live")).content != first


async def test_newest_records_that_could_not_be_read_are_read_again(services: Services) -> None:
    await services.pollers.once()
    newest = services.state.playback[0]
    services.evening.sessions.append(msgspec.structs.replace(newest, seq=newest.seq + 1))
    services.evening.ends["playhead.playback", 0] += 1
    services.evening.away.add("registry")
    await services.pollers.once()
    assert services.state.sources["kafka"].error == "the schema registry does not answer"
    assert services.state.playback[0].seq == newest.seq
    services.evening.away.clear()
    await services.pollers.once()
    assert services.state.playback[0].seq == newest.seq + 1


def test_members_seen_last_are_kept() -> None:
    state = OpsState(Catalogue())
    for number in range(MAX_MEMBERS + 2):
        state.observe_playback([playback(profile_id=f"ml-{number}")])
    state.observe_playback([playback(profile_id="ml-2", seq=9)])
    assert len(state.members) == MAX_MEMBERS
    assert next(iter(state.members)) == "ml-3"
    assert list(state.members)[-1] == "ml-2"


async def test_members_seen_lately_are_found_by_a_part_of_their_id(services: Services) -> None:
    await services.pollers.once()
    everyone = (await services.client.get("/members")).text
    assert all(f'href="/members/{member}"' in everyone for member in MEMBERS)
    some = (await services.client.get("/members?q=40")).text
    assert "/members/ml-405" in some
    assert "/members/ml-196" not in some
    assert 'href="/members/40"' in some, "an id that was not seen lately can still be opened"


async def test_a_members_page_shows_bookmarks_days_and_failures(services: Services) -> None:
    await services.pollers.once()
    page = (await services.client.get(f"/members/{MEMBER}")).text
    for text in ("Continue watching", "Yesterday", "Sunday, 15 February", "segment timeout", "L.A. Confidential"):
        assert text in page, text


async def test_a_page_escapes_what_members_and_titles_are_called(services: Services) -> None:
    page = (await services.client.get("/members/%3Cscript%3Ealert(1)%3C%2Fscript%3E")).text
    assert "<script>alert" not in page
    assert "&lt;script&gt;" in page
    assert "<script>" not in (await services.client.get("/posters/%3Cscript%3E.svg")).text
