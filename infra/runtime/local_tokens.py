"""Tokens that a stack's own key signs for people and programs of its machine, without an account."""

import secrets
from collections.abc import Iterable

from domain.clock import system_clock
from domain.identity.tokens import PLAY_AGE_MS, Entitlement, Member, Profile, Scope, Staff
from infra.runtime import token_keys
from infra.runtime.settings import Settings

NAME = "playhead-token"
HOUR_MS = 3_600_000


def member(profiles: list[str], account: str | None, hours: float = 24) -> Member:
    """A stand-in for a device that was just signed in: its account may play all, and the first of the profiles is
    chosen. Each token is a separate device, so two of them may play the same title at once, each on a slot."""
    now = system_clock()
    return Member(
        account_id=account or f"account-{profiles[0]}",
        device_id=f"{NAME}-{secrets.token_hex(4)}",
        profile_id=profiles[0],
        profiles={profile: Profile(maturity="") for profile in profiles},
        country="US",
        entitlement=Entitlement("local", streams=10, until=now + PLAY_AGE_MS, seq=0),
        issued_at=now,
        expires_at=now + round(hours * HOUR_MS),
    )


def staff(scopes: Iterable[Scope], hours: float = 24) -> Staff:
    now = system_clock()
    return Staff(NAME, frozenset(scopes), now, now + round(hours * HOUR_MS))


def staff_header(settings: Settings, *scopes: Scope) -> dict[str, str]:
    """For requests of our own programs, such as measurements."""
    return {"Authorization": f"Bearer {token_keys.signer(settings).sign(staff(scopes))}"}
