"""Refresh tokens: two tabs, a lost answer, a stolen token."""

import pytest

from domain.accounts.context import Client
from domain.accounts.refresh import parse
from domain.accounts.refusals import Refused
from tests.support.household import HOME, PASSWORD, Household

DAY_MS = 24 * 60 * 60 * 1000


@pytest.fixture
def house() -> Household:
    return Household()


async def test_two_tabs_get_the_same_successor(house: Household) -> None:
    first = await house.sign_up()
    one = await house.sessions.refresh(first.refresh_token)
    other = await house.sessions.refresh(first.refresh_token)
    assert one.refresh_token == other.refresh_token != first.refresh_token


async def test_a_lost_answer_is_given_again_until_the_successor_is_used(house: Household) -> None:
    first = await house.sign_up()
    for _ in range(3):
        house.now += DAY_MS
        await house.sessions.refresh(first.refresh_token)
    second = await house.sessions.refresh(first.refresh_token)
    third = await house.sessions.refresh(second.refresh_token)
    assert third.refresh_token != second.refresh_token
    with pytest.raises(Refused, match="signed out"):
        await house.sessions.refresh(first.refresh_token)


async def test_an_old_token_ends_its_family_for_owner_and_thief(house: Household) -> None:
    stolen = (await house.sign_up()).refresh_token
    second = (await house.sessions.refresh(stolen)).refresh_token
    third = await house.sessions.refresh(second)
    with pytest.raises(Refused):
        await house.sessions.refresh(stolen)
    with pytest.raises(Refused):
        await house.sessions.refresh(third.refresh_token)
    assert house.revocations() == [("token_reused", third.device.device_id, None)]
    assert house.mails()[-1] == ("ada@example.com", "token_reused")


async def test_other_devices_stay_when_a_family_ends(house: Household) -> None:
    stolen = (await house.sign_up()).refresh_token
    other = await house.sessions.sign_in("ada@example.com", PASSWORD, Client("192.0.2.8"))
    for token in (stolen, (await house.sessions.refresh(stolen)).refresh_token):
        await house.sessions.refresh(token)
    with pytest.raises(Refused):
        await house.sessions.refresh(stolen)
    assert await house.sessions.refresh(other.refresh_token)


async def test_a_token_of_no_family_ends_nothing(house: Household) -> None:
    session = await house.sign_up()
    for foreign in ("", "x", "é", "A" * 64, session.refresh_token[:-4]):
        with pytest.raises(Refused, match="signed out"):
            await house.sessions.refresh(foreign)
    assert house.revocations() == []


async def test_a_device_that_was_silent_for_ninety_days_signs_in_again(house: Household) -> None:
    session = await house.sign_up()
    house.now += 91 * DAY_MS
    with pytest.raises(Refused):
        await house.sessions.refresh(session.refresh_token)


async def test_a_refresh_that_others_overtake_is_done_again(house: Household) -> None:
    session = await house.sign_up()
    second = await house.sessions.refresh(session.refresh_token)
    house.store.overtaken = 3
    assert (await house.sessions.refresh(second.refresh_token)).refresh_token != second.refresh_token


async def test_the_store_has_no_token(house: Household) -> None:
    session = await house.sign_up()
    token = parse(session.refresh_token)
    assert token
    kept = repr(house.store.accounts)
    assert repr(token.family) not in kept
    assert repr(token.secret) not in kept
    assert HOME.address not in kept
