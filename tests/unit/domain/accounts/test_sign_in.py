"""Sign-in: who gets in, what a guess costs, and what a device that was here before is worth."""

import pytest

from domain.accounts.context import Client
from domain.accounts.refusals import Refused
from domain.identity.tokens import Member
from schemas.errors import TransientError
from tests.support.household import ADDRESS, HOME, PASSWORD, Household


@pytest.fixture
def house() -> Household:
    return Household()


async def refused(house: Household, address: str, password: str, client: Client) -> str:
    with pytest.raises(Refused) as error:
        await house.sessions.sign_in(address, password, client)
    return error.value.code


async def test_a_token_names_account_device_profiles_and_plan(house: Household) -> None:
    session = await house.sign_up()
    member = house.signer.signed[-1]
    assert isinstance(member, Member)
    (profile_id,) = member.profiles
    assert (member.account_id, member.device_id) == (session.account.account_id, session.device.device_id)
    assert (member.profile_id, member.country) == (profile_id, "NL")
    assert (member.entitlement.plan, member.entitlement.streams, member.entitlement.seq) == ("free", 2, 1)
    assert member.expires_at - member.issued_at == 24 * 60 * 60 * 1000


async def test_the_address_is_compared_without_case(house: Household) -> None:
    await house.sign_up()
    assert await house.sessions.sign_in(" Ada@EXAMPLE.com ", PASSWORD, HOME)


async def test_known_and_unknown_addresses_cost_one_hash_and_get_one_answer(house: Household) -> None:
    await house.sign_up()
    answers = []
    for address in (ADDRESS, "nobody@example.com", "no address at all"):
        before = house.hasher.computed
        answers.append((await refused(house, address, "wrong password", HOME), house.hasher.computed - before))
    assert answers == [("wrong_credentials", 1)] * 3


async def test_few_of_500_guesses_from_many_addresses_reach_the_hash(house: Household) -> None:
    await house.sign_up()
    before = house.hasher.computed
    answers = [
        await refused(house, ADDRESS, f"guess {n}", Client(f"10.{n // 100}.{n % 100}.{n % 250}")) for n in range(500)
    ]
    assert house.hasher.computed - before == 4
    assert answers.count("too_many_tries") == 496


async def test_guesses_at_many_accounts_are_limited_by_network_and_overall(house: Household) -> None:
    one_network = [await refused(house, f"m{n}@example.com", "guess", Client(f"10.0.0.{n}")) for n in range(100)]
    assert one_network.count("wrong_credentials") == 30
    anywhere = [await refused(house, f"n{n}@example.com", "guess", Client(f"10.1.{n}.1")) for n in range(200)]
    assert anywhere.count("wrong_credentials") == 60


async def test_the_owner_gets_in_from_a_known_device_while_others_guess(house: Household) -> None:
    session = await house.sign_up()
    await house.sessions.sign_out(session.account.account_id, session.device.device_id)
    for n in range(10):
        await refused(house, ADDRESS, "guess", Client(f"10.0.{n}.1"))
    assert await refused(house, ADDRESS, PASSWORD, HOME) == "too_many_tries"
    again = await house.sessions.sign_in(ADDRESS, PASSWORD, Client(HOME.address, proof=session.proof))
    assert again.device.device_id == session.device.device_id


async def test_a_forged_an_old_and_a_revoked_proof_are_worth_nothing(house: Household) -> None:
    session = await house.sign_up()
    account, device_id = await house.account(session), session.device.device_id
    _, moment, mac = session.proof.split(".")
    for forged in (
        "",
        "é.1.é",
        f"other.{moment}.{mac}",
        f"{device_id}.{int(moment) + 1}.{mac}",
        f"{device_id}.x.{mac}",
    ):
        assert house.context.known_device(account, forged) is None
    house.now += 1
    await house.sessions.sign_out_everywhere(account.account_id)
    assert house.context.known_device(await house.account(session), session.proof) is None


async def test_a_known_device_cannot_guess_for_ever(house: Household) -> None:
    session = await house.sign_up()
    known = Client(HOME.address, proof=session.proof)
    answers = [await refused(house, ADDRESS, "guess", known) for _ in range(30)]
    assert answers.count("wrong_credentials") == 10


async def test_failures_are_forgotten_with_time_and_successes_never_count(house: Household) -> None:
    await house.sign_up()
    for _ in range(20):
        await house.sessions.sign_in(ADDRESS, PASSWORD, HOME)
    for _ in range(4):
        assert await refused(house, ADDRESS, "guess", HOME) == "wrong_credentials"
    with pytest.raises(Refused) as error:
        await house.sessions.sign_in(ADDRESS, PASSWORD, HOME)
    assert error.value.wait_ms == 225_001
    house.now += error.value.wait_ms
    assert await house.sessions.sign_in(ADDRESS, PASSWORD, HOME)


async def test_a_full_queue_of_hashes_counts_no_failure(house: Household) -> None:
    await house.sign_up()
    house.hasher.is_busy = True
    for _ in range(10):
        with pytest.raises(TransientError):
            await house.sessions.sign_in(ADDRESS, PASSWORD, HOME)
    house.hasher.is_busy = False
    assert await house.sessions.sign_in(ADDRESS, PASSWORD, HOME)


async def test_the_fifty_first_device_signs_out_the_one_that_was_silent_longest(house: Household) -> None:
    first = await house.sign_up()
    for _ in range(50):
        house.now += 1
        last = await house.sessions.sign_in(ADDRESS, PASSWORD, HOME)
    assert len(last.account.devices) == 50
    assert last.account.device(first.device.device_id) is None
    assert house.revocations() == [("signed_out", first.device.device_id, None)]


async def test_signing_out_ends_this_device_and_everywhere_ends_all(house: Household) -> None:
    here = await house.sign_up()
    there = await house.sessions.sign_in(ADDRESS, PASSWORD, HOME)
    await house.sessions.sign_out(here.account.account_id, here.device.device_id)
    await house.sessions.sign_out(here.account.account_id, here.device.device_id)
    assert await house.sessions.refresh(there.refresh_token)
    await house.sessions.sign_out_everywhere(here.account.account_id)
    with pytest.raises(Refused):
        await house.sessions.refresh(there.refresh_token)
    assert house.revocations() == [("signed_out", here.device.device_id, None), ("signed_out", None, None)]


async def test_another_device_is_removed_with_its_token(house: Household) -> None:
    here = await house.sign_up()
    there = await house.sessions.sign_in(ADDRESS, PASSWORD, HOME)
    await house.sessions.remove_device(here.account.account_id, there.device.device_id)
    with pytest.raises(Refused):
        await house.sessions.refresh(there.refresh_token)
    with pytest.raises(Refused, match="No such device"):
        await house.sessions.remove_device(here.account.account_id, there.device.device_id)
    assert house.revocations() == [("device_removed", there.device.device_id, None)]
