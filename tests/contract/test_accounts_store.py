"""The contract of the store of accounts, for the fake and for MariaDB."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from hashlib import sha256
from typing import Protocol
from uuid import uuid4

import pytest
from sqlalchemy import event

from domain.accounts.model import Account, Chain, Device, Grant, Mail, Profile, Ticket
from domain.accounts.ports import AccountsStore, Outbound
from domain.accounts.records import change
from infra.engines.mariadb import connect
from infra.runtime.settings import Settings
from infra.stores.accounts_mariadb import MariaDbAccounts
from tests.support.builders import T0
from tests.support.fake_accounts import FakeAccounts


class Store(AccountsStore, Outbound, Protocol): ...


@pytest.fixture(params=["fake", pytest.param("mariadb", marks=pytest.mark.engines)])
async def store(request: pytest.FixtureRequest) -> AsyncIterator[Store]:
    if request.param == "fake":
        yield FakeAccounts()
        return
    database = connect(request.getfixturevalue("stack"), "accounts")
    yield MariaDbAccounts(database)
    await database.close()


def new_id() -> str:
    return str(uuid4())


def digest() -> bytes:
    return sha256(uuid4().bytes).digest()


def device() -> Device:
    chain = Chain(digest(), digest(), digest())
    return Device(new_id(), "Ada’s télé", "tv", "192.0.2.0/24", T0, T0, chain, profile_id=None)


def new_account() -> Account:
    """One that no other test has."""
    ada = Profile(new_id(), "Ada", "sun", "en", "18", kids=False)
    kim = Profile(new_id(), "Kïm", "leaf", "nl", "7", kids=True)
    return Account(new_id(), f"{uuid4()}@example.com", "hash", "NL", T0, (ada, kim), (device(),))


async def begun(store: Store) -> Account:
    made = change(None, new_account(), T0, new_id)
    assert await store.apply(made)
    return made.after


def ticket(account: Account) -> Ticket:
    return Ticket(digest(), "reset", account.address, account.account_id, T0 + 1000)


def mail(to: str, at: int = T0) -> Mail:
    return Mail(new_id(), to, "reset", "token", at)


def grant() -> Grant:
    return Grant(digest(), uuid4().hex[:8].upper(), "TV", "tv", "192.0.2.0/24", T0 + 1000)


async def test_an_account_is_found_whole_by_id_address_and_family(store: Store) -> None:
    account = await begun(store)
    assert await store.by_id(account.account_id) == account
    assert await store.by_address(account.address) == account
    assert await store.by_family(account.devices[0].chain.family) == account
    for found in (store.by_id(new_id()), store.by_address("nobody@example.com"), store.by_family(digest())):
        assert await found is None


async def test_a_change_replaces_adds_and_removes_parts(store: Store) -> None:
    before = await begun(store)
    kid = replace(before.profiles[1], name="Kim", pin_hash="pin")
    after = replace(before, profiles=(kid, Profile(new_id(), "Bob", "moon", "de", "16", False)), devices=(device(),))
    made = change(before, replace(after, password_hash=None, pin_failures=3), T0 + 1, new_id)
    assert await store.apply(made)
    assert await store.by_id(before.account_id) == made.after
    assert made.after.version == before.version + 1
    assert await store.by_family(before.devices[0].chain.family) is None


async def test_of_changes_at_once_one_happens(store: Store) -> None:
    before = await begun(store)
    changes = [change(before, replace(before, pin_failures=n), T0, new_id) for n in range(1, 9)]
    applied = await asyncio.gather(*map(store.apply, changes))
    assert applied.count(True) == 1
    after = await store.by_id(before.account_id)
    assert after
    assert (after.version, after.pin_failures) == (before.version + 1, applied.index(True) + 1)


async def test_an_address_belongs_to_one_account(store: Store) -> None:
    one, other = await begun(store), await begun(store)
    assert not await store.apply(change(None, replace(new_account(), address=one.address), T0, new_id))
    assert not await store.apply(change(other, replace(other, address=one.address), T0, new_id))
    assert await store.by_address(one.address) == one
    assert await store.by_id(other.account_id) == other


async def test_a_closed_account_is_found_no_more_and_cannot_change(store: Store) -> None:
    before = await begun(store)
    made = change(before, replace(before, closed_at=T0, address=f"closed {before.account_id}"), T0, new_id)
    assert await store.apply(made)
    assert await store.by_id(before.account_id) is None
    assert await store.by_address(before.address) is None
    assert not await store.apply(change(before, before, T0, new_id))


async def test_a_ticket_is_used_once_with_its_change(store: Store) -> None:
    account = await begun(store)
    good = ticket(account)
    await store.open(good, mail(account.address))
    assert await store.ticket(good.digest, T0) == good
    assert await store.ticket(good.digest, T0 + 1000) is None
    overtaken = change(replace(account, version=7), account, T0, new_id, uses=good.digest)
    assert not await store.apply(overtaken)
    assert await store.ticket(good.digest, T0) == good
    first = change(account, replace(account, pin_failures=1), T0, new_id, uses=good.digest)
    assert await store.apply(first)
    assert not await store.apply(change(first.after, account, T0, new_id, uses=good.digest))
    assert await store.ticket(good.digest, T0) is None


async def test_tickets_of_an_account_end_together(store: Store) -> None:
    account, other = await begun(store), await begun(store)
    tickets = [ticket(account), ticket(account), ticket(other)]
    for each in tickets:
        await store.open(each, None)
    assert await store.apply(change(account, account, T0, new_id, uses=tickets[0].digest, ends_tickets=True))
    assert [await store.ticket(each.digest, T0) for each in tickets] == [None, None, tickets[2]]


async def test_a_grant_changes_only_as_it_was_read(store: Store) -> None:
    waiting = grant()
    assert await store.add(waiting)
    assert not await store.add(replace(grant(), user_code=waiting.user_code))
    assert await store.save(replace(waiting, looks=1))
    assert not await store.save(replace(waiting, state="approved"))
    looked = replace(waiting, looks=1, version=1)
    assert await store.by_device(waiting.device_digest) == looked
    assert await store.by_user_code(waiting.user_code) == looked


async def test_a_grant_is_done_with_the_sign_in_or_not_at_all(store: Store) -> None:
    account, waiting = await begun(store), grant()
    assert await store.add(waiting)
    signed_in = account.with_device(device())
    stale = replace(waiting, state="done", version=5)
    assert not await store.apply(change(account, signed_in, T0, new_id, grant=stale))
    assert await store.by_id(account.account_id) == account
    assert await store.apply(change(account, signed_in, T0, new_id, grant=replace(waiting, state="done")))
    done = await store.by_device(waiting.device_digest)
    assert done
    assert done.state == "done"


async def test_a_mail_waits_until_it_is_sent(store: Store) -> None:
    account = await begun(store)
    letters = [mail(account.address, T0 + n) for n in range(3)]
    await store.open(None, letters[2])
    await store.open(None, letters[0])
    assert await store.apply(change(account, account, T0, new_id, mails=(letters[1],)))
    mine = [each for each in await store.unsent(10_000) if each.to == account.address]
    assert mine == letters
    await store.sent(letters[0].mail_id, T0 + 5, keep=True)
    await store.sent(letters[1].mail_id, T0 + 5, keep=False)
    assert [each for each in await store.unsent(10_000) if each.to == account.address] == [letters[2]]
    assert [each for each in await store.mailbox(10_000) if each.to == account.address] == [letters[0]]


async def test_what_has_expired_is_forgotten(store: Store) -> None:
    account = await begun(store)
    old, waiting = ticket(account), grant()
    await store.open(old, None)
    await store.add(waiting)
    await store.forget(T0 + 999)
    assert await store.ticket(old.digest, T0) == old
    await store.forget(T0 + 1000)
    assert await store.ticket(old.digest, T0) is None
    assert await store.by_device(waiting.device_digest) is None


@pytest.mark.engines
async def test_mariadb_is_asked_the_same_for_an_address_without_an_account(stack: Settings) -> None:
    database, asked = connect(stack, "accounts"), list[str]()
    event.listen(
        database._reader.sync_engine, "before_cursor_execute", lambda _, __, statement, *___: asked.append(statement)
    )
    store = MariaDbAccounts(database)
    assert await store.by_address((await begun(store)).address)
    known, asked[:] = [*asked], []
    assert await store.by_address("nobody@example.com") is None
    assert asked == known
    assert len(known) == 3
    await database.close()
