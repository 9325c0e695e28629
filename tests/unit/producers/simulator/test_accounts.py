"""The accounts of simulated members: ids as in their events, nothing that anybody could sign in with."""

from itertools import count
from random import Random

from producers.simulator.accounts import beginnings
from producers.simulator.audience import Member, Place
from producers.simulator.devices import make_device
from schemas.events import AccountRecord, EntitlementRecord
from tests.support.builders import T0


def member(profile_id: str, account_id: str) -> Member:
    device = make_device("tv-1", "tv", Random(1))
    return Member(profile_id, account_id, Place("DE", "Europe/Berlin"), (device,), (), 0.5)


def test_a_household_is_an_account_with_its_members_as_profiles() -> None:
    ids = count(1)
    audience = [member("ml-1", "acc-1"), member("ml-7", "acc-1"), member("ml-9", "acc-9")]
    changes = list(beginnings(audience, T0, lambda: f"01a0c470-ce48-7000-8000-{next(ids):012d}"))
    accounts = [each.after for each in changes]
    assert [(each.account_id, [profile.profile_id for profile in each.profiles]) for each in accounts] == [
        ("acc-1", ["ml-1", "ml-7"]),
        ("acc-9", ["ml-9"]),
    ]
    assert [(each.address, each.password_hash, each.country) for each in accounts] == [
        ("acc-1@demo.invalid", None, "DE"),
        ("acc-9@demo.invalid", None, "DE"),
    ]
    records = [(type(record), record.seq) for record in changes[0].records]
    assert records == [(AccountRecord, 1), (AccountRecord, 2), (AccountRecord, 3), (EntitlementRecord, 1)]
