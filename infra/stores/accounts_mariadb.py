"""Accounts in MariaDB. A change and its records are one transaction, and every change is a conditional statement."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Table, and_, delete, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.accounts.model import Account, Change, Grant, Mail, Record, Ticket
from infra.engines.mariadb import Database
from infra.stores import accounts_rows as rows
from infra.stores import outbox_mariadb as outbox
from infra.stores.accounts_tables import ACCOUNTS, DEVICES, GRANTS, MAILS, PROFILES, TICKETS
from schemas.events import AccountRecord, EntitlementRecord
from schemas.topics import CHANGE_TOPICS, Topic

DUPLICATE = 1062
MAIL_MS = 24 * 60 * 60 * 1000
NOBODY = ""
"""No account's id."""


class _Overtaken(Exception):
    """Somebody changed first what a change was based on: the transaction is rolled back."""


class MariaDbAccounts:
    """``AccountsStore`` and ``Outbound``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def by_id(self, account_id: str) -> Account | None:
        return await self._account(ACCOUNTS.c.account_id == account_id)

    async def by_address(self, address: str) -> Account | None:
        return await self._account(ACCOUNTS.c.address == address)

    async def by_family(self, family: bytes) -> Account | None:
        owner = select(DEVICES.c.account_id).where(DEVICES.c.family == family).scalar_subquery()
        return await self._account(ACCOUNTS.c.account_id == owner)

    async def by_profile(self, profile_id: str) -> Account | None:
        owner = select(PROFILES.c.account_id).where(PROFILES.c.profile_id == profile_id).scalar_subquery()
        return await self._account(ACCOUNTS.c.account_id == owner)

    async def apply(self, change: Change) -> bool:
        account_id = change.after.account_id

        async def work(connection: AsyncConnection) -> None:
            await _count_and_change(connection, change)
            if change.uses:
                _changed(await connection.execute(delete(TICKETS).where(TICKETS.c.digest == change.uses)))
            if change.ends_tickets:
                await connection.execute(delete(TICKETS).where(TICKETS.c.account_id == account_id))
                await connection.execute(delete(GRANTS).where(GRANTS.c.account_id == account_id))
            if change.grant:
                _changed(await connection.execute(_saved(change.grant)))
            await _save_parts(connection, change)
            for record in change.records:
                await outbox.add(connection, _topic(record), account_id, record)
            if change.mails:
                await connection.execute(insert(MAILS), [rows.mail_values(mail) for mail in change.mails])

        return await self._unless_overtaken(work)

    async def open(self, ticket: Ticket | None, mail: Mail | None) -> None:
        async def work(connection: AsyncConnection) -> None:
            if ticket:
                await connection.execute(insert(TICKETS).values(**_columns(TICKETS, ticket)))
            if mail:
                await connection.execute(insert(MAILS).values(**rows.mail_values(mail)))

        await self._database.transact(work)

    async def ticket(self, digest: bytes, now: int) -> Ticket | None:
        found = await self._one(TICKETS, and_(TICKETS.c.digest == digest, TICKETS.c.expires_at > now))
        return rows.ticket(found) if found else None

    async def add(self, grant: Grant) -> bool:
        async def work(connection: AsyncConnection) -> None:
            await connection.execute(insert(GRANTS).values(**_columns(GRANTS, grant)))

        return await self._unless_overtaken(work)

    async def by_device(self, digest: bytes) -> Grant | None:
        found = await self._one(GRANTS, GRANTS.c.device_digest == digest)
        return rows.grant(found) if found else None

    async def by_user_code(self, user_code: str) -> Grant | None:
        found = await self._one(GRANTS, GRANTS.c.user_code == user_code)
        return rows.grant(found) if found else None

    async def save(self, grant: Grant) -> bool:
        async def work(connection: AsyncConnection) -> None:
            _changed(await connection.execute(_saved(grant)))

        return await self._unless_overtaken(work)

    async def unsent(self, limit: int) -> Sequence[Mail]:
        return await self._mails(MAILS.c.sent_at.is_(None), MAILS.c.created_at.asc(), limit)

    async def mailbox(self, limit: int) -> Sequence[Mail]:
        return await self._mails(MAILS.c.sent_at.is_not(None), MAILS.c.created_at.desc(), limit)

    async def sent(self, mail_id: str, now: int, keep: bool) -> None:
        this = MAILS.c.mail_id == mail_id

        async def work(connection: AsyncConnection) -> None:
            await connection.execute(
                update(MAILS).where(this).values(sent_at=now) if keep else delete(MAILS).where(this)
            )

        await self._database.transact(work)

    async def forget(self, now: int) -> None:
        async def work(connection: AsyncConnection) -> None:
            await connection.execute(delete(TICKETS).where(TICKETS.c.expires_at <= now))
            await connection.execute(delete(GRANTS).where(GRANTS.c.expires_at <= now))
            await connection.execute(delete(MAILS).where(MAILS.c.created_at <= now - MAIL_MS))

        await self._database.transact(work)

    async def _account(self, condition: ColumnElement[bool]) -> Account | None:
        async def work(connection: AsyncConnection) -> Account | None:
            # The account's row first: parts that change after it was read have another version, so that a change that
            # is based on them does not apply.
            found = (
                await connection.execute(select(ACCOUNTS).where(condition, ACCOUNTS.c.closed_at.is_(None)))
            ).first()
            # Without an account, too: how long an answer takes must not say whether there is one.
            account_id = found.account_id if found else NOBODY
            its_profiles = select(PROFILES).where(PROFILES.c.account_id == account_id).order_by(PROFILES.c.place)
            its_devices = (
                select(DEVICES)
                .where(DEVICES.c.account_id == account_id)
                .order_by(DEVICES.c.signed_in_at, DEVICES.c.device_id)
            )
            profiles = tuple(map(rows.profile, await connection.execute(its_profiles)))
            devices = tuple(map(rows.device, await connection.execute(its_devices)))
            return rows.account(found, profiles, devices) if found else None

        return await self._database.read(work)

    async def _one(self, table: Table, condition: ColumnElement[bool]) -> Any:
        async def work(connection: AsyncConnection) -> Any:
            return (await connection.execute(select(table).where(condition))).first()

        return await self._database.read(work)

    async def _mails(self, condition: ColumnElement[bool], order: ColumnElement[Any], limit: int) -> Sequence[Mail]:
        async def work(connection: AsyncConnection) -> list[Mail]:
            query = select(MAILS).where(condition).order_by(order).limit(limit)
            return list(map(rows.mail, await connection.execute(query)))

        return await self._database.read(work)

    async def _unless_overtaken(self, work: Any) -> bool:
        try:
            await self._database.transact(work)
        except _Overtaken:
            return False
        except IntegrityError as error:
            if error.orig is None or error.orig.args[0] != DUPLICATE:
                raise
            return False
        return True


async def _count_and_change(connection: AsyncConnection, change: Change) -> None:
    """The transaction's first statement: it raises the counters of the account's records."""
    values = rows.account_values(change.after)
    if change.before is None:
        await connection.execute(insert(ACCOUNTS).values(**values))
        return
    as_read = (ACCOUNTS.c.account_id == change.before.account_id) & (ACCOUNTS.c.version == change.before.version)
    _changed(await connection.execute(update(ACCOUNTS).where(as_read).values(**values)))


async def _save_parts(connection: AsyncConnection, change: Change) -> None:
    """Profiles and devices that differ. The account's row is ours until the transaction ends, and they with it."""
    account_id = change.after.account_id

    def parts(account: Account | None) -> dict[tuple[Table, str], dict[str, Any]]:
        if account is None:
            return {}
        profiles = {
            (PROFILES, each.profile_id): rows.profile_values(account_id, place, each)
            for place, each in enumerate(account.profiles)
        }
        devices = {(DEVICES, each.device_id): rows.device_values(account_id, each) for each in account.devices}
        return {**profiles, **devices}

    before, after = parts(change.before), parts(change.after)
    for table, part_id in before.keys() - after.keys():
        await connection.execute(delete(table).where(_part(table, account_id, part_id)))
    for (table, part_id), values in after.items():
        if (table, part_id) not in before:
            await connection.execute(insert(table).values(**values))
        elif before[table, part_id] != values:
            await connection.execute(update(table).where(_part(table, account_id, part_id)).values(**values))


def _part(table: Table, account_id: str, part_id: str) -> ColumnElement[bool]:
    column = table.c.profile_id if table is PROFILES else table.c.device_id
    return (table.c.account_id == account_id) & (column == part_id)


def _saved(grant: Grant) -> Any:
    as_read = (GRANTS.c.device_digest == grant.device_digest) & (GRANTS.c.version == grant.version)
    return update(GRANTS).where(as_read).values(**{**_columns(GRANTS, grant), "version": grant.version + 1})


def _changed(result: Any) -> None:
    if result.rowcount != 1:
        raise _Overtaken


def _columns(table: Table, value: object) -> dict[str, Any]:
    return {column.name: getattr(value, column.name) for column in table.columns}


def _topic(record: Record) -> Topic:
    if isinstance(record, AccountRecord):
        return CHANGE_TOPICS["accounts"]
    return CHANGE_TOPICS["entitlements" if isinstance(record, EntitlementRecord) else "revocations"]
