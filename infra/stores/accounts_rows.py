"""Rows of accounts to values and back."""

from dataclasses import asdict
from typing import Any

from sqlalchemy import Row

from domain.accounts.model import Account, Chain, Device, Grant, Mail, Profile, Seqs, Ticket

Values = dict[str, Any]


def account(row: Row[Any], profiles: tuple[Profile, ...], devices: tuple[Device, ...]) -> Account:
    values = dict(row._mapping)
    seqs = Seqs(*(values.pop(f"{topic}_seq") for topic in ("accounts", "entitlements", "revocations")))
    return Account(**values, profiles=profiles, devices=devices, seqs=seqs)


def account_values(found: Account) -> Values:
    values = {name: getattr(found, name) for name in _ACCOUNT_FIELDS}
    return {**values, **{f"{topic}_seq": seq for topic, seq in asdict(found.seqs).items()}}


_ACCOUNT_FIELDS = [name for name in Account.__dataclass_fields__ if name not in ("profiles", "devices", "seqs")]


def profile(row: Row[Any]) -> Profile:
    values = dict(row._mapping)
    del values["account_id"], values["place"]
    return Profile(**values)


def profile_values(account_id: str, place: int, found: Profile) -> Values:
    return {"account_id": account_id, "place": place, **asdict(found)}


def device(row: Row[Any]) -> Device:
    values = dict(row._mapping)
    del values["account_id"]
    chain = Chain(values.pop("family"), values.pop("held"), values.pop("following"))
    return Device(**values, chain=chain)


def device_values(account_id: str, found: Device) -> Values:
    values = asdict(found)
    return {"account_id": account_id, **values.pop("chain"), **values}


def ticket(row: Row[Any]) -> Ticket:
    return Ticket(**row._mapping)


def grant(row: Row[Any]) -> Grant:
    return Grant(**row._mapping)


def mail(row: Row[Any]) -> Mail:
    values = dict(row._mapping)
    del values["sent_at"]
    return Mail(to=values.pop("recipient"), **values)


def mail_values(found: Mail) -> Values:
    values = asdict(found)
    return {"recipient": values.pop("to"), **values}
