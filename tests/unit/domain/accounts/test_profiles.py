"""Profiles: what each may see, and what one must know to see more."""

from dataclasses import replace

import pytest

from domain.accounts.context import Session
from domain.accounts.model import Profile
from domain.accounts.profiles import Proofs
from domain.accounts.refusals import Refused
from schemas.events import AccountRecord
from tests.support.household import HOME, PASSWORD, Household

KID = Profile("", "Kim", "leaf", "nl", "7", kids=True)
GROWN_UP = Profile("", "Bob", "moon", "en", "18", kids=False)
PROVED, NOTHING = Proofs(password=PASSWORD), Proofs()


@pytest.fixture
def house() -> Household:
    return Household()


async def code(refusal: object) -> str:
    with pytest.raises(Refused) as error:
        await refusal  # type: ignore[misc]
    return error.value.code


async def add(house: Household, session: Session, profile: Profile) -> Profile:
    await house.profiles.add(await house.account(session), profile, PROVED, HOME)
    return (await house.account(session)).profiles[-1]


async def enter(house: Household, session: Session, profile: Profile, proofs: Proofs = NOTHING) -> None:
    account = await house.account(session)
    await house.profiles.enter(account, session.device.device_id, profile.profile_id, proofs, HOME)


async def edit(house: Household, session: Session, profile: Profile, proofs: Proofs = NOTHING) -> None:
    await house.profiles.edit(await house.account(session), profile, proofs, HOME)


async def test_anybody_adds_a_profile_for_children_and_a_grown_up_one_needs_the_password(house: Household) -> None:
    session = await house.sign_up()
    account = await house.account(session)
    await house.profiles.add(account, KID, NOTHING, HOME)
    assert await code(house.profiles.add(account, GROWN_UP, NOTHING, HOME)) == "password_needed"
    assert await code(house.profiles.add(account, GROWN_UP, Proofs("wrong"), HOME)) == "wrong_password"
    await house.profiles.add(account, GROWN_UP, PROVED, HOME)
    assert [each.name for each in (await house.account(session)).profiles] == ["Ada", "Kim", "Bob"]


async def test_there_are_five_at_most_with_different_names(house: Household) -> None:
    session = await house.sign_up()
    for n in range(4):
        await add(house, session, replace(KID, name=f"Kim {n}"))
    account = await house.account(session)
    assert await code(house.profiles.add(account, replace(KID, name="Kim 5"), NOTHING, HOME)) == "too_many_profiles"
    last = account.profiles[-1]
    assert await code(edit(house, session, replace(last, name=" kim 0 "))) == "bad_name"


@pytest.mark.parametrize("name", ["", "  ", "x" * 41, "a\nb", "a\u202eb"])
async def test_names_are_short_and_printable(house: Household, name: str) -> None:
    session = await house.sign_up()
    account = await house.account(session)
    assert await code(house.profiles.add(account, replace(KID, name=name), NOTHING, HOME)) == "bad_name"


async def test_a_profile_for_children_sees_at_most_what_children_may(house: Household) -> None:
    account = await house.account(await house.sign_up())
    assert await code(house.profiles.add(account, replace(KID, maturity="16"), NOTHING, HOME)) == "bad_profile"


async def test_only_what_widens_the_view_asks_for_the_password(house: Household) -> None:
    session = await house.sign_up()
    kid = await add(house, session, KID)
    await edit(house, session, replace(kid, name="Kimberly", maturity="all"))
    for wider in (replace(kid, maturity="12"), replace(kid, kids=False)):
        assert await code(edit(house, session, wider)) == "password_needed"
        await edit(house, session, wider, PROVED)


async def test_a_narrower_view_revokes_the_tokens_that_speak_of_it(house: Household) -> None:
    session = await house.sign_up()
    (ada,) = (await house.account(session)).profiles
    await edit(house, session, replace(ada, maturity="16"))
    await edit(house, session, replace(ada, maturity="16", name="Ada L."))
    assert house.revocations() == [("maturity_lowered", None, ada.profile_id)]
    changes = [r for r in house.store.records if isinstance(r, AccountRecord) and r.change == "changed"]
    assert [(r.profile_id, r.maturity, r.kids) for r in changes] == [(ada.profile_id, "16", False)]


async def test_a_removed_profile_is_revoked_and_the_last_one_stays(house: Household) -> None:
    session = await house.sign_up()
    kid = await add(house, session, KID)
    account = await house.account(session)
    assert await code(house.profiles.remove(account, kid.profile_id, NOTHING, HOME)) == "password_needed"
    await house.profiles.remove(account, kid.profile_id, PROVED, HOME)
    assert house.revocations() == [("profile_removed", None, kid.profile_id)]
    (ada,) = (await house.account(session)).profiles
    assert await code(house.profiles.remove(account, ada.profile_id, PROVED, HOME)) == "last_profile"
    assert await code(house.profiles.remove(account, "nobody", PROVED, HOME)) == "unknown_profile"


async def test_who_watches_is_part_of_the_next_token(house: Household) -> None:
    session = await house.sign_up()
    kid = await add(house, session, KID)
    await enter(house, session, kid)
    await house.sessions.refresh(session.refresh_token)
    assert house.signer.signed[-1].profile_id == kid.profile_id  # type: ignore[union-attr]


async def test_leaving_a_childrens_profile_needs_a_pin_or_the_password(house: Household) -> None:
    session = await house.sign_up()
    ada, kid = (await house.account(session)).profiles[0], await add(house, session, KID)
    await enter(house, session, kid)
    assert await code(enter(house, session, ada)) == "password_needed"
    await enter(house, session, ada, PROVED)


async def pinned(house: Household, session: Session) -> Profile:
    account = await house.account(session)
    await house.profiles.set_pin(account, account.profiles[0].profile_id, "2468", PROVED, HOME)
    return (await house.account(session)).profiles[0]


async def test_a_pin_opens_its_profile(house: Household) -> None:
    session = await house.sign_up()
    kid, ada = await add(house, session, KID), await pinned(house, session)
    await enter(house, session, kid)
    assert await code(enter(house, session, ada)) == "pin_needed"
    assert await code(enter(house, session, ada, Proofs(pin="1111"))) == "wrong_pin"
    await enter(house, session, ada, Proofs(pin="2468"))


async def test_five_wrong_pins_close_them_for_fifteen_minutes_but_not_the_password(house: Household) -> None:
    session = await house.sign_up()
    kid, ada = await add(house, session, KID), await pinned(house, session)
    await enter(house, session, kid)
    answers = [await code(enter(house, session, ada, Proofs(pin=f"111{n}"))) for n in range(7)]
    assert answers == ["wrong_pin"] * 5 + ["pin_locked"] * 2
    assert await code(enter(house, session, ada, Proofs(pin="2468"))) == "pin_locked"
    await enter(house, session, ada, PROVED)
    await enter(house, session, kid)
    await enter(house, session, ada, Proofs(pin="2468"))


async def test_wrong_pins_stay_counted_whatever_else_is_chosen_between_them(house: Household) -> None:
    session = await house.sign_up()
    kid, ada = await add(house, session, KID), await pinned(house, session)
    await enter(house, session, kid)
    answers = []
    for n in range(6):
        answers.append(await code(enter(house, session, ada, Proofs(pin=f"111{n}"))))
        await enter(house, session, kid, Proofs(pin="0000"))  # the profile of the moment asks for none
    assert answers == ["wrong_pin"] * 5 + ["pin_locked"]


async def test_a_right_pin_takes_only_its_own_try_back(house: Household) -> None:
    session = await house.sign_up()
    kid, ada = await add(house, session, KID), await pinned(house, session)
    await enter(house, session, kid)
    for n in range(4):
        await code(enter(house, session, ada, Proofs(pin=f"111{n}")))
    await enter(house, session, ada, Proofs(pin="2468"))
    await enter(house, session, kid)
    assert await code(enter(house, session, ada, Proofs(pin="1115"))) == "wrong_pin"
    assert await code(enter(house, session, ada, Proofs(pin="2468"))) == "pin_locked"


async def test_a_pin_counts_before_it_is_compared(house: Household) -> None:
    session = await house.sign_up()
    kid, ada = await add(house, session, KID), await pinned(house, session)
    await enter(house, session, kid)
    for _ in range(5):
        await code(enter(house, session, ada, Proofs(pin="0000")))
    before = house.hasher.computed
    assert await code(enter(house, session, ada, Proofs(pin="2468"))) == "pin_locked"
    assert house.hasher.computed == before
    house.now += 15 * 60 * 1000
    await enter(house, session, ada, Proofs(pin="2468"))


@pytest.mark.parametrize("pin", ["123", "12345", "12a4", "١٢٣٤", ""])
async def test_a_pin_has_four_digits_and_is_set_with_the_password(house: Household, pin: str) -> None:
    session = await house.sign_up()
    account = await house.account(session)
    profile_id = account.profiles[0].profile_id
    assert await code(house.profiles.set_pin(account, profile_id, "1234", NOTHING, HOME)) == "password_needed"
    assert await code(house.profiles.set_pin(account, profile_id, pin, PROVED, HOME)) == "bad_pin"
