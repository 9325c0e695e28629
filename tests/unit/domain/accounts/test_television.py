"""Signing in a television: RFC 8628, with clients that ask too fast, lose answers or guess codes."""

import pytest

from domain.accounts.context import Client, Session
from domain.accounts.refusals import Refused
from tests.support.household import HOME, Household

TELEVISION = Client("198.51.100.9", "Living room", "tv")


@pytest.fixture
def house() -> Household:
    return Household()


async def test_a_television_is_let_in_by_a_code(house: Household) -> None:
    session = await house.sign_up()
    code = await house.televisions.start(TELEVISION)
    house.now += 5000
    assert await house.televisions.poll(code.device_code) == "authorization_pending"
    grant = await house.televisions.look(code.user_code.lower(), session.account, HOME)
    assert (grant.device_name, grant.device_kind, grant.network) == ("Living room", "tv", "198.51.100.0/24")
    await house.televisions.decide(code.user_code, session.account, True, HOME)
    granted = await house.televisions.poll(code.device_code)
    assert isinstance(granted, Session)
    assert (granted.account.account_id, granted.device.kind) == (session.account.account_id, "tv")
    assert [each.name for each in granted.account.devices] == ["Ada's laptop", "Living room"]


async def test_an_approved_grant_is_handed_out_even_to_one_that_asks_too_fast_and_again_if_the_answer_was_lost(
    house: Household,
) -> None:
    session = await house.sign_up()
    code = await house.televisions.start(TELEVISION)
    house.now += 5000
    for answer in ("authorization_pending", "slow_down", "slow_down"):
        assert await house.televisions.poll(code.device_code) == answer
    await house.televisions.decide(code.user_code, session.account, True, HOME)
    first, second = [await house.televisions.poll(code.device_code) for _ in range(2)]
    assert isinstance(first, Session)
    assert isinstance(second, Session)
    assert first.refresh_token == second.refresh_token
    assert len((await house.account(session)).devices) == 2
    third = await house.sessions.refresh(first.refresh_token)
    await house.sessions.refresh(third.refresh_token)
    assert await house.televisions.poll(code.device_code) == "invalid_grant"


async def test_a_client_that_slows_down_is_no_longer_asked_to(house: Household) -> None:
    code = await house.televisions.start(TELEVISION)
    house.now += 5000
    assert await house.televisions.poll(code.device_code) == "authorization_pending"
    house.now += 1000
    assert await house.televisions.poll(code.device_code) == "slow_down"
    for _ in range(3):
        house.now += 10_000
        assert await house.televisions.poll(code.device_code) == "authorization_pending"


async def test_a_code_that_is_refused_or_too_old_lets_nobody_in(house: Household) -> None:
    session = await house.sign_up()
    refused, late = await house.televisions.start(TELEVISION), await house.televisions.start(TELEVISION)
    await house.televisions.decide(refused.user_code, session.account, False, HOME)
    assert await house.televisions.poll(refused.device_code) == "access_denied"
    house.now += 600_000
    assert await house.televisions.poll(late.device_code) == "expired_token"
    with pytest.raises(Refused, match="No television waits"):
        await house.televisions.look(late.user_code, session.account, HOME)
    assert await house.televisions.poll("never was") == "invalid_grant"


async def test_who_signs_out_everywhere_lets_no_television_in_that_waits(house: Household) -> None:
    session = await house.sign_up()
    code = await house.televisions.start(TELEVISION)
    await house.televisions.decide(code.user_code, session.account, True, HOME)
    await house.sessions.sign_out_everywhere(session.account.account_id)
    assert await house.televisions.poll(code.device_code) == "invalid_grant"


async def test_an_approved_code_expires(house: Household) -> None:
    session = await house.sign_up()
    code = await house.televisions.start(TELEVISION)
    await house.televisions.decide(code.user_code, session.account, True, HOME)
    house.now += 600_000
    assert await house.televisions.poll(code.device_code) == "expired_token"


async def test_codes_cannot_be_guessed(house: Household) -> None:
    session = await house.sign_up()
    answers = []
    for n in range(15):
        with pytest.raises(Refused) as error:
            await house.televisions.look(f"BBBB-BBB{'BCDFGHJKLMNPQRST'[n]}", session.account, HOME)
        answers.append(error.value.code)
    assert answers == ["unknown_code"] * 10 + ["too_many_tries"] * 5


async def test_a_code_that_is_looked_at_often_burns(house: Household) -> None:
    session = await house.sign_up()
    code = await house.televisions.start(TELEVISION)
    for _ in range(5):
        await house.televisions.look(code.user_code, session.account, HOME)
    with pytest.raises(Refused):
        await house.televisions.look(code.user_code, session.account, HOME)
    assert await house.televisions.poll(code.device_code) == "access_denied"


async def test_one_address_starts_few_codes(house: Household) -> None:
    for _ in range(10):
        await house.televisions.start(TELEVISION)
    with pytest.raises(Refused, match="Too many"):
        await house.televisions.start(TELEVISION)
