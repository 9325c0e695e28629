"""Accounts for the bench, made past the service: one hash for all of them, since it is the service that is measured."""

import secrets
from collections.abc import Sequence

import uuid_utils

from domain.accounts.model import Account, Profile
from domain.accounts.records import change
from domain.accounts.registration import new_token, opened_by
from domain.clock import system_clock
from infra.engines.mariadb import connect
from infra.runtime.password_hashes import PasswordHashes
from infra.runtime.settings import Settings
from infra.stores.accounts_mariadb import MariaDbAccounts

PASSWORD = "what everybody has here"  # noqa: S105
PROFILES = ("Ada", "Grace", "Mary")
HOUR_MS = 60 * 60 * 1000


async def make_accounts(settings: Settings, count: int) -> Sequence[str]:
    """Their addresses."""
    hashes, database = PasswordHashes(), connect(settings, "accounts")
    hashed, store, now = await hashes.hash(PASSWORD), MariaDbAccounts(database), system_clock()
    addresses = [f"member-{number}@example.com" for number in range(count)]
    for address in addresses:
        profiles = tuple(Profile(_id(), name, "sun", "en", "18", kids=False) for name in PROFILES)
        await store.apply(change(None, Account(_id(), address, hashed, "NL", now, profiles), now, _id))
    hashes.close()
    await database.close()
    return addresses


async def make_links(settings: Settings, count: int) -> Sequence[str]:
    """The tokens of links with which somebody new signs up."""
    database = connect(settings, "accounts")
    store, tokens = MariaDbAccounts(database), [new_token(secrets.token_bytes(24)) for _ in range(count)]
    for number, token in enumerate(tokens):
        address = f"newcomer-{number}@example.com"
        await store.open(opened_by(token, "sign_up", address, None, system_clock() + HOUR_MS), None)
    await database.close()
    return tokens


def _id() -> str:
    return str(uuid_utils.uuid7())
