"""Slots of plays, as a player and Kafka see them."""

from uuid import UUID

import pytest

from domain.slots.model import Stream
from domain.titles.catalogue import Catalogue, Title
from schemas.events import Diagnostic
from schemas.rules import check
from services.playback.streams import Lease, NoSlot, StreamsTaken, Watching
from tests.support.builders import T0
from tests.support.fake_slots import FakeSlots, streams_on

ACCOUNT = "account-1"
TV = Stream("018bcfe5-6800-7000-8000-000000000001", "ml-1", "device-1", "TV in the living room", "ml-50")
PHONE = Stream("018bcfe5-6800-7000-8000-000000000002", "ml-2", "device-2", "", "ml-9")
HELD = Lease(slot="held", renew_every_ms=30_000)


class House:
    def __init__(self) -> None:
        self.store = FakeSlots()
        self.reported: list[Diagnostic] = []
        titles = Catalogue({"ml-50": Title("ml-50", "Star Wars", 1977)})
        self.streams = streams_on(self.store, titles, self.reported.append)

    async def begin(self, stream: Stream, instead_of: str | None = None) -> Lease:
        return await self.streams.begin(ACCOUNT, 1, stream, UUID(instead_of) if instead_of else None)

    async def refused(self, stream: Stream) -> StreamsTaken:
        with pytest.raises(NoSlot) as caught:
            await self.begin(stream)
        return caught.value.problem


@pytest.fixture
def house() -> House:
    return House()


async def test_a_refusal_says_who_watches_what_where_and_since_when(house: House) -> None:
    assert await house.begin(TV) == HELD
    refusal = await house.refused(PHONE)
    assert (refusal.status, refusal.code) == (409, "too_many_streams")
    assert refusal.detail == (
        "Your plan allows one stream at a time: ml-1 watches Star Wars on TV in the living room. "
        "Stop one to watch here."
    )
    assert refusal.watching == [
        Watching(
            playback_session_id=TV.session,
            profile_id="ml-1",
            device="TV in the living room",
            title_id="ml-50",
            title="Star Wars",
            since=T0,
        )
    ]


async def test_a_device_without_a_name_goes_by_its_id(house: House) -> None:
    await house.begin(PHONE)
    (watching,) = (await house.refused(TV)).watching
    assert (watching.device, watching.title) == ("device-2", "ml-9")


async def test_a_stream_that_a_member_stopped_learns_by_whom(house: House) -> None:
    await house.begin(PHONE)
    assert await house.begin(TV, instead_of=PHONE.session) == HELD
    with pytest.raises(NoSlot) as caught:
        await house.streams.go_on(ACCOUNT, 1, PHONE, "playing")
    assert (caught.value.problem.code, caught.value.problem.status) == ("stopped_elsewhere", 409)
    assert "Star Wars on TV in the living room" in caught.value.problem.detail


async def test_a_stopped_stream_makes_room(house: House) -> None:
    await house.begin(TV)
    assert (await house.streams.go_on(ACCOUNT, 1, TV, "stopped")).slot == "given_back"
    assert await house.begin(PHONE) == HELD


async def test_a_report_that_was_slower_than_the_stop_is_refused(house: House) -> None:
    await house.begin(TV)
    await house.streams.go_on(ACCOUNT, 1, TV, "stopped")
    with pytest.raises(NoSlot) as caught:
        await house.streams.go_on(ACCOUNT, 1, TV, "playing")
    assert (caught.value.problem.code, caught.value.problem.detail) == (
        "stopped_elsewhere",
        "This stream was stopped.",
    )
    assert await house.begin(PHONE) == HELD


async def test_what_happens_to_slots_is_reported_and_ordinary_plays_are_not(house: House) -> None:
    await house.begin(TV)
    await house.streams.go_on(ACCOUNT, 1, TV, "playing")
    assert house.reported == []
    await house.refused(PHONE)
    await house.begin(PHONE, instead_of=TV.session)
    house.store.away = True
    await house.begin(TV)
    assert [(event.name, event.level, event.account_id, event.profile_id) for event in house.reported] == [
        ("stream_refused", "info", ACCOUNT, "ml-2"),
        ("stream_stopped", "info", ACCOUNT, "ml-2"),
        ("stream_uncounted", "warning", ACCOUNT, "ml-1"),
    ]
    assert house.reported[1].fields == {
        "playback_session_id": PHONE.session,
        "title_id": "ml-9",
        "streams": "1",
        "stopped": TV.session,
    }
    for event in house.reported:
        check(event)


async def test_a_stream_that_finds_no_slot_when_it_goes_on_is_reported(house: House) -> None:
    await house.begin(TV)
    with pytest.raises(NoSlot):
        await house.streams.go_on(ACCOUNT, 1, PHONE, "playing")
    assert house.reported[0].fields["after_start"] == "true"
