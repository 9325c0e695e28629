import msgspec

from domain.ledger.state import Finding
from domain.titles.catalogue import Catalogue
from services.ops.document import Live, Source
from services.ops.state import MEMBERS_KEPT, Board
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
        await services.gather.once()


async def test_before_any_source_answered_the_document_says_so(services: Services) -> None:
    document = await live(services)
    assert (document.ledger, document.writes, document.processes) == ([], [], [])
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
        "services",
    ]
    assert all(process.up and round(process.cpu_share or 0, 2) == 0.21 for process in document.processes)
    for topic in document.ledger:
        assert topic.kafka == topic.lake + topic.dead_letters + topic.in_flight + topic.lost


async def test_the_document_says_what_the_ledger_compared_and_what_it_misses(services: Services) -> None:
    await services.gather.once()
    compared = (await live(services)).compared
    assert compared
    assert (compared.last_hour, compared.this_hour) == (197_249, 65_756)
    assert compared.findings == []
    services.evening.missing["playhead.ui", 2] = (Finding((40, 80), 41, 43, 2, "offsets 41 to 42 are gone"),)
    await pass_time(services, 2)
    compared = (await live(services)).compared
    assert compared
    assert compared.differing == {"playhead.ui": 2}
    assert compared.findings == ["playhead.ui[2]: offsets 41 to 42 are gone"]


async def test_a_write_is_stored_once_the_history_answers_with_it(services: Services) -> None:
    await services.gather.once()
    newest = services.board.playback[0]
    assert (await live(services)).writes[0].stored
    services.board.played([msgspec.structs.replace(newest, seq=newest.seq + 1), *services.board.playback])
    services.evening.now += 1_000
    write = (await live(services)).writes[0]
    assert (write.playback_session_id, write.stored) == (newest.playback_session_id, False)


async def test_a_source_that_is_away_keeps_its_last_numbers_and_their_age(services: Services) -> None:
    await pass_time(services, 10)
    before = await live(services)
    services.evening.away |= {"kafka", "lake", "history"}
    await pass_time(services, 10)
    after = await live(services)
    assert after.rates == before.rates
    assert after.sources[0] == Source("kafka", "Kafka", EVENING + 10_000, "no broker can be reached")
    assert after.sources[1] == Source("cassandra", "Cassandra", EVENING + 20_000, None)
    assert [process.up for process in after.processes] == [True, False, True, True, False, True, True]
    services.evening.away.clear()
    await pass_time(services, 2)
    assert all(source.error is None for source in (await live(services)).sources)


async def test_what_cannot_have_changed_is_not_read_again(services: Services) -> None:
    evening = services.evening
    await services.gather.once()
    evening.asked.clear()
    watched = services.board.playback[0]
    evening.sessions.append(newer := msgspec.structs.replace(watched, seq=watched.seq + 1, received_at=evening.now + 1))
    evening.ends["playhead.playback", 3] += 1
    await services.gather.once()
    await services.gather.once()
    assert evening.asked.count(newer.profile_id) == 2, "its newest state is not stored yet"
    assert set(evening.asked) == {newer.profile_id, "raw/playhead.playback/id-playhead.playback/partition=3/"}


async def test_many_pages_share_one_document(services: Services) -> None:
    await services.gather.once()
    first = (await services.client.get("/v1/live")).content
    services.board.processes = ()
    assert (await services.client.get("/v1/live")).content == first
    services.evening.now += 1_000
    assert (await services.client.get("/v1/live")).content != first


async def test_a_look_at_the_newest_records_that_failed_is_made_again(services: Services) -> None:
    await services.gather.once()
    newest = services.board.playback[0]
    services.evening.sessions.append(msgspec.structs.replace(newest, seq=newest.seq + 1))
    services.evening.ends["playhead.playback", 0] += 1
    services.evening.away.add("registry")
    await services.gather.once()
    assert services.board.sources["kafka"].error == "the schema registry does not answer"
    assert services.board.playback[0].seq == newest.seq
    services.evening.away.clear()
    await services.gather.once()
    assert services.board.playback[0].seq == newest.seq + 1


def test_members_seen_last_are_kept() -> None:
    board = Board(Catalogue())
    for number in range(MEMBERS_KEPT + 2):
        board.played([playback(profile_id=f"ml-{number}")])
    board.played([playback(profile_id="ml-2", seq=9)])
    assert len(board.members) == MEMBERS_KEPT
    assert next(iter(board.members)) == "ml-3"
    assert list(board.members)[-1] == "ml-2"


async def test_members_seen_lately_are_found_by_a_part_of_their_id(services: Services) -> None:
    await services.gather.once()
    everyone = (await services.client.get("/members")).text
    assert all(f'href="/members/{member}"' in everyone for member in MEMBERS)
    some = (await services.client.get("/members?q=40")).text
    assert "/members/ml-405" in some
    assert "/members/ml-196" not in some
    assert 'href="/members/40"' in some, "an id that was not seen lately can still be opened"


async def test_a_members_page_shows_bookmarks_days_and_failures(services: Services) -> None:
    await services.gather.once()
    page = (await services.client.get(f"/members/{MEMBER}")).text
    for text in ("Continue watching", "Yesterday", "Sunday, 15 February", "segment timeout", "L.A. Confidential"):
        assert text in page, text


async def test_a_page_escapes_what_members_and_titles_are_called(services: Services) -> None:
    page = (await services.client.get("/members/%3Cscript%3Ealert(1)%3C%2Fscript%3E")).text
    assert "<script>alert" not in page
    assert "&lt;script&gt;" in page
    assert "<script>" not in (await services.client.get("/posters/%3Cscript%3E.svg")).text
