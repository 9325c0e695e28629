"""The tables of accounts, as queries name them; ``infra/migrations/mariadb/accounts`` makes them."""

from sqlalchemy import Boolean, Column, Integer, MetaData, String, Table
from sqlalchemy.dialects.mysql import BIGINT, BINARY

_metadata = MetaData()


def _text(name: str, key: bool = False) -> "Column[str]":
    return Column(name, String(320), primary_key=key)


def _number(name: str) -> "Column[int]":
    return Column(name, BIGINT)


def _digest(name: str, key: bool = False) -> "Column[bytes]":
    return Column(name, BINARY(32), primary_key=key)


ACCOUNTS = Table(
    "accounts",
    _metadata,
    _text("account_id", key=True),
    _text("address"),
    _text("password_hash"),
    _text("country"),
    _number("created_at"),
    _text("plan"),
    Column("streams", Integer),
    Column("pin_failures", Integer),
    _number("pin_locked_until"),
    _number("trusted_since"),
    _number("closed_at"),
    _number("accounts_seq"),
    _number("entitlements_seq"),
    _number("revocations_seq"),
    _number("version"),
)
PROFILES = Table(
    "profiles",
    _metadata,
    _text("profile_id", key=True),
    _text("account_id"),
    Column("place", Integer),
    _text("name"),
    _text("avatar"),
    _text("language"),
    _text("maturity"),
    Column("kids", Boolean),
    _text("pin_hash"),
)
DEVICES = Table(
    "devices",
    _metadata,
    _text("account_id", key=True),
    _text("device_id", key=True),
    _text("name"),
    _text("kind"),
    _text("network"),
    _number("signed_in_at"),
    _number("last_seen_at"),
    _text("profile_id"),
    _digest("family"),
    _digest("held"),
    _digest("following"),
)
TICKETS = Table(
    "tickets",
    _metadata,
    _digest("digest", key=True),
    _text("purpose"),
    _text("address"),
    _text("account_id"),
    _number("expires_at"),
)
GRANTS = Table(
    "television_grants",
    _metadata,
    _digest("device_digest", key=True),
    _text("user_code"),
    _text("device_name"),
    _text("device_kind"),
    _text("network"),
    _number("expires_at"),
    Column("interval_s", Integer),
    _number("polled_at"),
    Column("looks", Integer),
    _text("state"),
    _text("account_id"),
    _number("version"),
)
MAILS = Table(
    "mails",
    _metadata,
    _text("mail_id", key=True),
    _text("recipient"),
    _text("kind"),
    _text("token"),
    _number("created_at"),
    _number("sent_at"),
)
