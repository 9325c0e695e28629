"""Sign-up, reset, change of address and password, closing: what a link is good for, and what others learn."""

import pytest

from domain.accounts.addresses import network, normalized
from domain.accounts.context import Client
from domain.accounts.refusals import Refused
from domain.accounts.registration import FirstProfile
from schemas.events import AccountRecord, EntitlementRecord
from tests.support.household import ADDRESS, HOME, PASSWORD, Household

ADA = FirstProfile("Ada", "en", "NL")
NEW = "another long password"


@pytest.fixture
def house() -> Household:
    return Household()


async def code(refusal: object) -> str:
    with pytest.raises(Refused) as error:
        await refusal  # type: ignore[misc]
    return error.value.code


async def test_an_account_begins_with_a_profile_a_device_and_a_free_plan(house: Household) -> None:
    session = await house.sign_up()
    assert [(r.kind, r.change, r.seq) for r in house.store.records if isinstance(r, AccountRecord)] == [
        ("account", "added", 1),
        ("profile", "added", 2),
        ("device", "added", 3),
        ("sign_in", "added", 4),
    ]
    (plan,) = [record for record in house.store.records if isinstance(record, EntitlementRecord)]
    assert (plan.plan, plan.streams, plan.status, plan.seq, plan.until) == ("free", 2, "active", 1, 4_102_444_800_000)
    assert session.device.profile_id == session.account.profiles[0].profile_id


async def test_nothing_exists_before_the_link_is_opened(house: Household) -> None:
    await house.registration.sign_up(ADDRESS, HOME)
    assert house.store.accounts == {}
    assert house.mails() == [(ADDRESS, "sign_up")]


async def test_a_link_works_once_and_for_a_day(house: Household) -> None:
    await house.sign_up()
    used = house.last_mail().token or ""
    assert await code(house.registration.finish_sign_up(used, PASSWORD, ADA, HOME)) == "bad_link"
    await house.registration.sign_up("bob@example.com", HOME)
    late = house.last_mail().token or ""
    house.now += 24 * 60 * 60 * 1000
    assert await code(house.registration.finish_sign_up(late, PASSWORD, ADA, HOME)) == "bad_link"
    assert await code(house.registration.finish_reset(late, PASSWORD)) == "bad_link"


async def test_of_two_sign_ups_of_one_address_the_first_opened_link_is_the_account(house: Household) -> None:
    await house.registration.sign_up(ADDRESS, HOME)
    first = house.last_mail().token or ""
    await house.registration.sign_up(ADDRESS, Client("203.0.113.9"))
    second = house.last_mail().token or ""
    await house.registration.finish_sign_up(first, PASSWORD, ADA, HOME)
    assert await code(house.registration.finish_sign_up(second, NEW, ADA, HOME)) == "bad_link"
    assert await house.sessions.sign_in(ADDRESS, PASSWORD, HOME)


async def test_a_known_address_gets_another_mail_and_nobody_sees_it_from_outside(house: Household) -> None:
    await house.sign_up()
    before = house.hasher.computed
    await house.registration.sign_up(ADDRESS, HOME)
    await house.registration.sign_up("new@example.com", HOME)
    await house.registration.ask_reset("nobody@example.com", HOME)
    assert house.mails()[1:] == [(ADDRESS, "known_address"), ("new@example.com", "sign_up")]
    assert house.hasher.computed == before


async def test_nobody_is_flooded_with_mails(house: Household) -> None:
    answers = []
    for n in range(5):
        try:
            await house.registration.ask_reset(ADDRESS, Client(f"10.0.{n}.1"))
            answers.append("sent")
        except Refused as refusal:
            answers.append(refusal.code)
    assert answers == ["sent", "sent", "sent", "too_many_tries", "too_many_tries"]


@pytest.mark.parametrize(
    "password", ["short", "1234567890", "aaaaaaaaaaaa", ADDRESS, "Password!123", "ada1234567", "x" * 129]
)
async def test_weak_passwords_are_refused_and_the_link_still_holds(house: Household, password: str) -> None:
    await house.registration.sign_up(ADDRESS, HOME)
    token = house.last_mail().token or ""
    assert await code(house.registration.finish_sign_up(token, password, ADA, HOME)) == "weak_password"
    assert await house.registration.finish_sign_up(token, PASSWORD, ADA, HOME)


async def test_a_reset_signs_out_every_device_and_the_old_password(house: Household) -> None:
    session = await house.sign_up()
    house.now += 1000
    await house.registration.ask_reset(ADDRESS, HOME)
    await house.registration.finish_reset(house.last_mail().token or "", NEW)
    assert await code(house.sessions.refresh(session.refresh_token)) == "signed_out"
    assert await code(house.sessions.sign_in(ADDRESS, PASSWORD, HOME)) == "wrong_credentials"
    assert await house.sessions.sign_in(ADDRESS, NEW, HOME)
    assert house.revocations() == [("password_changed", None, None)]
    assert house.mails()[-1] == (ADDRESS, "password_changed")


async def test_a_new_password_keeps_this_device_and_signs_out_the_others(house: Household) -> None:
    here = await house.sign_up()
    there = await house.sessions.sign_in(ADDRESS, PASSWORD, HOME)
    account = await house.account(here)
    wrong = house.registration.change_password(account, here.device.device_id, "wrong", NEW, HOME)
    assert await code(wrong) == "wrong_password"
    await house.registration.change_password(account, here.device.device_id, PASSWORD, NEW, HOME)
    assert await house.sessions.refresh(here.refresh_token)
    assert await code(house.sessions.refresh(there.refresh_token)) == "signed_out"


async def test_an_address_changes_when_its_own_link_is_opened_and_both_hear_of_it(house: Household) -> None:
    account = await house.account(await house.sign_up())
    await house.registration.ask_address(account, "Ada@New.example", PASSWORD, HOME)
    assert (await house.store.by_address(ADDRESS)) == account
    await house.registration.finish_address(house.last_mail().token or "")
    assert house.mails()[1:] == [
        (ADDRESS, "address_changes"),
        ("ada@new.example", "new_address"),
        (ADDRESS, "address_changed"),
    ]
    assert await house.sessions.sign_in("ada@new.example", PASSWORD, HOME)
    assert await code(house.sessions.sign_in(ADDRESS, PASSWORD, HOME)) == "wrong_credentials"


async def test_older_links_end_when_the_password_or_the_address_changes(house: Household) -> None:
    session = await house.sign_up()
    await house.registration.ask_reset(ADDRESS, HOME)
    old = house.last_mail().token or ""
    account = await house.account(session)
    await house.registration.ask_address(account, "ada@new.example", PASSWORD, HOME)
    await house.registration.finish_address(house.last_mail().token or "")
    assert await code(house.registration.finish_reset(old, NEW)) == "bad_link"
    await house.registration.ask_reset("ada@new.example", HOME)
    one = house.last_mail().token or ""
    await house.registration.ask_reset("ada@new.example", HOME)
    await house.registration.finish_reset(house.last_mail().token or "", NEW)
    assert await code(house.registration.finish_reset(one, PASSWORD)) == "bad_link"


async def test_a_taken_address_is_not_given_away(house: Household) -> None:
    account = await house.account(await house.sign_up())
    await house.sign_up("bob@example.com")
    await house.registration.ask_address(account, "bob@example.com", PASSWORD, HOME)
    assert house.mails()[-1] == ("bob@example.com", "known_address")


async def test_a_closed_account_is_gone_and_its_address_free(house: Household) -> None:
    session = await house.sign_up()
    await house.registration.close(await house.account(session), PASSWORD, HOME)
    assert await code(house.sessions.refresh(session.refresh_token)) == "signed_out"
    assert await code(house.sessions.sign_in(ADDRESS, PASSWORD, HOME)) == "wrong_credentials"
    assert ("account_closed", None, None) in house.revocations()
    plans = [record for record in house.store.records if isinstance(record, EntitlementRecord)]
    assert [(plan.status, plan.seq) for plan in plans] == [("active", 1), ("ended", 2)]
    assert await house.sign_up()


async def test_a_single_use_link_signs_in_once(house: Household) -> None:
    session = await house.sign_up()
    token = await house.link(session.account)
    again = await house.registration.use_link(token, HOME)
    assert again.account.account_id == session.account.account_id
    assert await code(house.registration.use_link(token, HOME)) == "bad_link"


async def test_no_record_has_an_address_a_name_or_a_secret(house: Household) -> None:
    session = await house.sign_up()
    await house.registration.ask_address(session.account, "new@example.com", PASSWORD, HOME)
    await house.registration.finish_address(house.last_mail().token or "")
    kept = repr(house.store.records)
    for secret in (ADDRESS, "new@example.com", "Ada", PASSWORD, "192.0.2", session.refresh_token, "hash of"):
        assert secret not in kept


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        (" Ada+tv@Example.COM ", "ada+tv@example.com"),
        ("ada@bücher.example", "ada@xn--bcher-kva.example"),
        ("ａｄａ@example.com", "ada@example.com"),
        ("ada@example", None),
        ("ada@@example.com", None),
        ("ada@exa mple.com", None),
        ("a@b.example\r\nBcc: x@y.example", None),
        ("x" * 65 + "@example.com", None),
        ("", None),
    ],
)
def test_addresses_have_one_form(typed: str, kept: str | None) -> None:
    assert normalized(typed) == kept


@pytest.mark.parametrize(
    ("address", "kept"),
    [
        ("192.0.2.77", "192.0.2.0/24"),
        ("::ffff:192.0.2.77", "192.0.2.0/24"),
        ("2001:db8:1:2::3", "2001:db8:1::/48"),
        ("testclient", ""),
    ],
)
def test_a_network_is_kept_and_not_the_whole_address(address: str, kept: str) -> None:
    assert network(address) == kept
