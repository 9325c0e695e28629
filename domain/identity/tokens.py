"""What a token says: who asks, from which device, and what that account may do.

Times are milliseconds since the epoch. A token is one of three kinds: a member's, a member of the staff's, or of one
play. A service that reads a token needs no database.
"""

from collections.abc import Mapping
from typing import Literal, get_args

import msgspec

ACCOUNT_AGE_MS = 15 * 60 * 1000
"""Oldest token for what changes an account, or costs money."""
PLAY_AGE_MS = 24 * 60 * 60 * 1000
"""Oldest token for play, reading and events: signing in is no part of the way to a picture."""
Scope = Literal["support", "oncall", "editor", "ingest"]
"""support: reads any member's history; oncall: the console's API, too; editor: titles and videos; ingest: sends events
of any profile."""


class Entitlement(msgspec.Struct, frozen=True):
    """What the account's plan allows."""

    plan: str
    streams: int
    """At the same time."""
    until: int
    """Last moment to play without further news."""
    seq: int
    """Of the account's entitlements: the higher one is newer."""


Maturity = Literal["all", "7", "12", "16", "18"]
"""Rating of a title: from which age; and the highest one that a profile may see, 18 being everything."""
MATURITIES: tuple[Maturity, ...] = get_args(Maturity)
"""From the lowest one up."""


class Profile(msgspec.Struct, frozen=True):
    """A profile of the account, as far as other services need it."""

    maturity: str
    """Highest rating that it may see, as the account's service wrote it; empty: all."""
    kids: bool = False


class Member(msgspec.Struct, frozen=True):
    """A signed-in device of an account."""

    account_id: str
    device_id: str
    profile_id: str | None
    """The profile of the moment; None until one is chosen."""
    profiles: Mapping[str, Profile]
    """All profiles of the account, by id."""
    country: str
    """ISO 3166-1 alpha-2."""
    entitlement: Entitlement
    issued_at: int
    expires_at: int

    def owns(self, profile_id: str) -> bool:
        """Whether it is a profile of the account."""
        return profile_id in self.profiles


class Staff(msgspec.Struct, frozen=True):
    """A person or a program that works here."""

    name: str
    """For logs."""
    scopes: frozenset[Scope]
    issued_at: int
    expires_at: int


class PlaySession(msgspec.Struct, frozen=True):
    """One play, which its player may report, and nothing else."""

    playback_session_id: str
    account_id: str
    profile_id: str
    title_id: str
    device_id: str
    issued_at: int
    expires_at: int
    device: str = ""
    """What people call the device."""
    streams: int = 1
    """At the same time, by the account's plan."""
    member_issued_at: int = 0
    """When the member's token was issued with which the play began; 0: with this one. What is revoked after that ends
    the play, too."""


Claims = Member | Staff | PlaySession
KINDS: dict[str, type[Member] | type[Staff] | type[PlaySession]] = {
    "member+jwt": Member,
    "staff+jwt": Staff,
    "play+jwt": PlaySession,
}
"""By the header's ``typ``, so that no kind is ever taken for another (RFC 8725, 3.11)."""
TYPES = {kind: name for name, kind in KINDS.items()}
