"""The audience's accounts: households with their profiles, under the ids that their events carry, without passwords."""

from collections.abc import Callable, Iterator, Sequence
from itertools import groupby

from domain.accounts.model import Account, Change, Profile
from domain.accounts.profiles import AVATARS
from domain.accounts.records import change
from producers.simulator.audience import Member


def beginnings(audience: Sequence[Member], now: int, new_id: Callable[[], str]) -> Iterator[Change]:
    """One new account a household. Its address can get no mail: the domain is reserved (RFC 2606)."""
    for account_id, members in groupby(audience, lambda member: member.account_id):
        household = list(members)
        profiles = tuple(
            Profile(member.profile_id, f"Member {member.profile_id}", avatar, "en", "18", kids=False)
            for member, avatar in zip(household, AVATARS, strict=False)
        )
        account = Account(account_id, f"{account_id}@demo.invalid", None, household[0].place.country, now, profiles)
        yield change(None, account, now, new_id)
