import asyncio
import uuid
from collections import Counter
from dataclasses import replace
from typing import ClassVar

import pytest

from domain.metrics import SLOT_ANSWERS
from domain.slots.leases import Leases
from domain.slots.model import Answer, Slots, Stream
from schemas.errors import TransientError
from tests.support.builders import T0
from tests.support.fake_metrics import FakeMetrics
from tests.support.fake_slots import FakeSlots
from tests.support.starts import a_stream

ACCOUNT = "account-1"
SESSION = "018bcfe5-6800-7000-8000-00000000000{}"
TV, PHONE, LAPTOP = (
    Stream(SESSION.format(number), "ml-1", f"device-{number}", device, "ml-50")
    for number, device in enumerate(("TV", "phone", "laptop"), 1)
)
HELD = Answer("held")
LEASE_S, PAUSE_S = 90, 600


class House:
    """Leases on a store whose clock is the test's."""

    def __init__(self) -> None:
        self.clock = 0.0
        self.store = FakeSlots(LEASE_S, PAUSE_S, now=lambda: self.clock)
        self.metrics = FakeMetrics()
        self.leases = Leases(lambda: self.store, self.metrics)

    async def start(self, stream: Stream, instead_of: str | None = None, allowed: int = 2) -> Answer:
        return await self.leases.start(ACCOUNT, allowed, stream, instead_of)

    async def renew(self, stream: Stream, *, playing: bool = True) -> Answer:
        return await self.leases.renew(ACCOUNT, 2, stream, playing=playing)

    async def taken(self) -> set[int]:
        """The slots that are taken."""
        return set((await self.store.slots(ACCOUNT)).taken)


@pytest.fixture
def house() -> House:
    return House()


def test_a_stream_began_when_its_session_was_made() -> None:
    assert TV.since == T0


async def test_the_third_stream_of_a_plan_of_two_learns_who_watches(house: House) -> None:
    assert [await house.start(each) for each in (TV, PHONE)] == [HELD, HELD]
    assert await house.start(LAPTOP) == Answer("full", (TV, PHONE))
    assert house.metrics.by(SLOT_ANSWERS, "verdict") == {"held": 2, "full": 1}


async def test_of_forty_starts_at_once_on_a_plan_of_two_two_are_granted(house: House) -> None:
    answers = await asyncio.gather(*(house.start(a_stream()) for _ in range(40)))
    assert Counter(answer.verdict for answer in answers) == {"held": 2, "full": 38}


async def test_those_who_ask_at_the_same_moment_ask_the_store_for_each_slot_once() -> None:
    class Counting(FakeSlots):
        asked: ClassVar[list[int]] = []

        async def take(self, account_id: str, number: int, stream: Stream) -> Stream:
            self.asked.append(number)
            return await super().take(account_id, number, stream)

    store = Counting()
    leases = Leases(lambda: store, FakeMetrics())
    answers = await asyncio.gather(*(leases.start(ACCOUNT, 2, a_stream()) for _ in range(40)))
    assert Counter(answer.verdict for answer in answers) == {"held": 2, "full": 38}
    assert store.asked == [0, 1]


async def test_after_a_smaller_plan_no_stream_starts_until_there_are_fewer(house: House) -> None:
    for stream in (TV, PHONE):
        await house.start(stream)
    await house.leases.stop(ACCOUNT, TV.session)
    assert await house.start(LAPTOP, allowed=1) == Answer("full", (PHONE,))


async def test_after_a_smaller_plan_a_member_stops_streams_until_the_last_one_gives_its_slot(house: House) -> None:
    for stream in (TV, PHONE):
        await house.start(stream)
    assert await house.start(LAPTOP, instead_of=TV.session, allowed=1) == Answer("full", (PHONE,))
    assert await house.start(LAPTOP, instead_of=PHONE.session, allowed=1) == HELD
    assert await house.leases.renew(ACCOUNT, 1, TV, playing=True) == Answer("replaced")


async def test_another_account_has_other_slots(house: House) -> None:
    await house.start(TV, allowed=1)
    assert await house.leases.start("account-2", 1, PHONE) == HELD


async def test_a_stream_that_starts_twice_has_one_slot(house: House) -> None:
    assert [await house.start(TV), await house.start(TV)] == [HELD, HELD]
    assert await house.start(PHONE) == HELD


async def test_a_start_that_is_asked_again_takes_the_slot_of_the_one_whose_answer_was_lost(house: House) -> None:
    again = replace(TV, session=SESSION.format(9))
    await house.start(TV, allowed=1)
    assert await house.start(again, allowed=1) == HELD
    assert await house.start(PHONE, allowed=1) == Answer("full", (again,))
    assert await house.start(PHONE) == HELD, "a plan of two has a free one"


async def test_starts_of_one_title_on_one_device_at_once_have_one_slot(house: House) -> None:
    streams = [replace(TV, session=str(uuid.uuid4())) for _ in range(5)]
    answers = await asyncio.gather(*map(house.start, streams))
    assert answers == [HELD] * 5
    assert await house.taken() == {0}


async def test_another_title_on_the_same_device_is_another_stream(house: House) -> None:
    await house.start(TV, allowed=1)
    other = replace(TV, session=SESSION.format(9), title_id="ml-1")
    assert await house.start(other, allowed=1) == Answer("full", (TV,))


async def test_a_second_tab_of_the_same_title_leaves_the_first_one_a_free_slot(house: House) -> None:
    tab = replace(TV, session=SESSION.format(9))
    await house.start(TV)
    assert await house.start(tab) == HELD
    assert await house.renew(TV) == HELD
    assert await house.start(PHONE) == Answer("full", (tab, TV))


async def test_a_start_instead_of_another_that_is_asked_again_still_stops_that_one(house: House) -> None:
    again = replace(PHONE, session=SESSION.format(9))
    await house.start(TV)
    await house.start(PHONE, instead_of=TV.session)
    assert await house.start(again, instead_of=TV.session) == HELD
    assert await house.renew(TV) == Answer("replaced", (again,))


async def test_a_report_that_arrives_after_the_stop_takes_no_slot(house: House) -> None:
    await house.start(TV)
    await house.leases.stop(ACCOUNT, TV.session)
    assert await house.renew(TV) == Answer("replaced")
    assert await house.renew(TV, playing=False) == Answer("replaced")
    await house.start(PHONE, allowed=1)
    assert (await house.renew(TV)).verdict == "replaced"


async def test_a_report_of_a_stream_without_a_slot_reads_the_slots_once() -> None:
    class Counting(FakeSlots):
        reads = 0

        async def slots(self, account_id: str) -> Slots:
            self.reads += 1
            return await super().slots(account_id)

    store = Counting()
    leases = Leases(lambda: store, FakeMetrics())
    await leases.start(ACCOUNT, 2, TV)
    await leases.stop(ACCOUNT, TV.session)
    store.reads = 0
    assert await leases.renew(ACCOUNT, 2, TV, playing=True) == Answer("replaced")
    assert store.reads == 1


async def test_a_stopped_stream_frees_its_slot(house: House) -> None:
    await house.start(TV, allowed=1)
    await house.leases.stop(ACCOUNT, PHONE.session)
    assert await house.start(PHONE, allowed=1) == Answer("full", (TV,))
    await house.leases.stop(ACCOUNT, TV.session)
    assert await house.start(PHONE, allowed=1) == HELD


async def test_a_killed_player_frees_its_slot_when_its_lease_ends(house: House) -> None:
    await house.start(TV)
    await house.start(PHONE)
    house.clock += LEASE_S - 1
    assert await house.renew(PHONE) == HELD
    assert await house.start(LAPTOP) == Answer("full", (TV, PHONE))
    house.clock += 1
    assert await house.start(LAPTOP) == HELD


async def test_a_pause_gives_its_slot_back_in_the_end_and_playing_on_takes_a_free_one(house: House) -> None:
    await house.start(TV)
    await house.start(PHONE)
    for _ in range(PAUSE_S // 30):
        assert await house.renew(TV, playing=False) == HELD
        assert await house.renew(PHONE) == HELD
        house.clock += 30
    assert await house.renew(TV, playing=False) == Answer("given_back")
    assert await house.renew(TV) == HELD


async def test_a_stream_that_plays_on_after_its_slot_was_taken_learns_who_watches(house: House) -> None:
    await house.start(TV)
    house.clock += LEASE_S
    await house.start(PHONE)
    await house.start(LAPTOP)
    assert await house.renew(TV) == Answer("full", (PHONE, LAPTOP))


async def test_a_member_stops_one_stream_to_watch_another_and_the_stopped_one_learns_it(house: House) -> None:
    await house.start(TV)
    await house.start(PHONE)
    assert await house.start(LAPTOP, instead_of=TV.session) == HELD
    assert await house.start(a_stream()) == Answer("full", (LAPTOP, PHONE))
    await house.leases.stop(ACCOUNT, PHONE.session)
    assert await house.renew(TV) == Answer("replaced", (LAPTOP,)), "it does not take the slot that is free now"
    assert await house.renew(TV, playing=False) == Answer("replaced", (LAPTOP,))


async def test_to_stop_a_stream_that_has_ended_is_a_start_like_any_other(house: House) -> None:
    await house.start(PHONE)
    assert await house.start(LAPTOP, instead_of=TV.session) == HELD
    assert await house.start(TV, instead_of=SESSION.format(9)) == Answer("full", (PHONE, LAPTOP))


async def test_of_two_who_stop_the_same_stream_one_gets_its_slot(house: House) -> None:
    await house.start(TV, allowed=1)
    answers = await asyncio.gather(*(house.start(each, TV.session, allowed=1) for each in (PHONE, LAPTOP)))
    assert Counter(answer.verdict for answer in answers) == {"held": 1, "full": 1}


async def test_a_lost_answer_is_settled_by_asking_again(house: House) -> None:
    house.store.loses = 1
    assert await house.start(TV) == HELD
    assert await house.taken() == {0}
    house.store.loses = 1
    assert await house.start(PHONE, instead_of=TV.session) == HELD
    assert await house.taken() == {0}
    house.store.loses = 1
    assert await house.renew(PHONE) == HELD
    house.store.loses = 1
    await house.leases.stop(ACCOUNT, PHONE.session)
    assert await house.taken() == set()


async def test_play_goes_on_uncounted_while_the_store_is_away(house: House) -> None:
    house.store.away = True
    assert [await house.start(each) for each in (TV, PHONE, LAPTOP)] == [Answer("uncounted")] * 3
    assert await house.renew(TV) == Answer("uncounted")
    assert (await house.leases.stop(ACCOUNT, TV.session)).may_play
    house.store.away = False
    assert [await house.renew(each) for each in (TV, PHONE)] == [HELD, HELD]


async def test_play_goes_on_uncounted_before_there_is_a_connection_and_when_the_store_hangs() -> None:
    class Hanging(FakeSlots):
        async def slots(self, account_id: str) -> Slots:
            await asyncio.Event().wait()
            raise AssertionError

    def unconnected() -> FakeSlots:
        raise TransientError("no connection yet")

    for store in (unconnected, Hanging):
        leases = Leases(store, FakeMetrics(), patience_s=0.01)
        assert await leases.start(ACCOUNT, 2, TV) == Answer("uncounted")
