"""What an account is: people who watch, devices that are signed in, a plan, and the counters of its topics.

Times are milliseconds since the epoch. A decision returns a ``Change``, which a store applies whole or not at all.
"""

from dataclasses import dataclass, replace
from typing import Literal, Self

from domain.identity import tokens
from domain.identity.tokens import Maturity
from schemas.events import AccountRecord, DeviceType, EntitlementRecord, RevocationRecord

MOST_PROFILES = 5
MOST_DEVICES = 50
"""Signed in at a time. One more signs out the one that was silent longest."""
FOREVER = 4_102_444_800_000
"""2100-01-01: a free plan has no end."""
TOKEN_MS = tokens.PLAY_AGE_MS
TicketPurpose = Literal["sign_up", "reset", "address", "link"]
MailKind = Literal[
    "sign_up",
    "known_address",
    "reset",
    "password_changed",
    "new_address",
    "address_changes",
    "address_changed",
    "token_reused",
    "closed",
]
Record = AccountRecord | EntitlementRecord | RevocationRecord


@dataclass(frozen=True, slots=True)
class Profile:
    profile_id: str
    name: str
    avatar: str
    language: str
    """BCP 47."""
    maturity: Maturity
    kids: bool
    pin_hash: str | None = None
    """Asked before anybody watches as this profile."""


@dataclass(frozen=True, slots=True)
class Chain:
    """A device's refresh tokens: SHA-256 of the newest that was used, and of its successor."""

    family: bytes
    """SHA-256 of what all its tokens begin with."""
    held: bytes
    following: bytes


@dataclass(frozen=True, slots=True)
class Device:
    """A device that is signed in. Signing out removes it."""

    device_id: str
    name: str
    kind: DeviceType
    network: str
    """Where it signed in: an address cut to /24 or /48."""
    signed_in_at: int
    last_seen_at: int
    chain: Chain
    profile_id: str | None = None
    """Of the moment."""


@dataclass(frozen=True, slots=True)
class Seqs:
    """Newest sequence number of each topic. It is raised with the version, by the same statement."""

    accounts: int = 0
    entitlements: int = 0
    revocations: int = 0


@dataclass(frozen=True, slots=True)
class Account:
    account_id: str
    address: str
    """E-mail, as ``addresses.normalized`` made it; it belongs to one account at a time. It was verified."""
    password_hash: str | None
    """None: only a single-use link signs in."""
    country: str
    created_at: int
    profiles: tuple[Profile, ...] = ()
    devices: tuple[Device, ...] = ()
    plan: str = "free"
    streams: int = 2
    pin_failures: int = 0
    pin_locked_until: int = 0
    trusted_since: int = 0
    """Proofs of known devices that are older prove nothing."""
    closed_at: int | None = None
    seqs: Seqs = Seqs()
    version: int = 0

    def profile(self, profile_id: str | None) -> Profile | None:
        return next((each for each in self.profiles if each.profile_id == profile_id), None)

    def device(self, device_id: str | None) -> Device | None:
        return next((each for each in self.devices if each.device_id == device_id), None)

    def device_of(self, family: bytes) -> Device | None:
        return next((each for each in self.devices if each.chain.family == family), None)

    def with_profile(self, profile: Profile) -> Self:
        """It takes the place of the one with its id, or the last one."""
        others = [profile if each.profile_id == profile.profile_id else each for each in self.profiles]
        return replace(self, profiles=(*others, *(() if self.profile(profile.profile_id) else (profile,))))

    def with_device(self, device: Device) -> Self:
        """It takes the place of the one with its id, or is added."""
        others = tuple(each for each in self.devices if each.device_id != device.device_id)
        return replace(self, devices=(*others, device))

    def without_devices(self, *device_ids: str) -> Self:
        return replace(self, devices=tuple(each for each in self.devices if each.device_id not in device_ids))

    def member(self, device: Device, now: int) -> tokens.Member:
        """What its token says."""
        return tokens.Member(
            account_id=self.account_id,
            device_id=device.device_id,
            profile_id=device.profile_id if self.profile(device.profile_id) else None,
            profiles={
                each.profile_id: tokens.Profile("" if each.maturity == "18" else each.maturity, each.kids)
                for each in self.profiles
            },
            country=self.country,
            entitlement=tokens.Entitlement(self.plan, self.streams, FOREVER, self.seqs.entitlements),
            issued_at=now,
            expires_at=now + TOKEN_MS,
        )


@dataclass(frozen=True, slots=True)
class Ticket:
    """What a link in a mail is good for, once."""

    digest: bytes
    """SHA-256 of the link's token."""
    purpose: TicketPurpose
    address: str
    """Of the sign-up, or the new one of a change."""
    account_id: str | None
    expires_at: int


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail that waits to be sent."""

    mail_id: str
    to: str
    kind: MailKind
    token: str | None
    """Of the link in it."""
    created_at: int


@dataclass(frozen=True, slots=True)
class Grant:
    """A television that waits for somebody to enter its code (RFC 8628)."""

    device_digest: bytes
    """SHA-256 of the device code."""
    user_code: str
    device_name: str
    device_kind: DeviceType
    network: str
    expires_at: int
    interval_s: int = 5
    polled_at: int = 0
    looks: int = 0
    """How often somebody entered its code."""
    state: Literal["pending", "approved", "denied", "done"] = "pending"
    account_id: str | None = None
    version: int = 0


@dataclass(frozen=True, slots=True)
class Change:
    """All of it happens, or nothing."""

    after: Account
    before: Account | None
    """None: the account is new. Otherwise nobody may have changed it since."""
    records: tuple[Record, ...] = ()
    mails: tuple[Mail, ...] = ()
    uses: bytes | None = None
    """The digest of a ticket that must still hold, and then does no more."""
    ends_tickets: bool = False
    """All tickets and grants of the account do no more: links that were mailed before, televisions that wait."""
    grant: Grant | None = None
    """As it becomes; nobody may have changed it since."""
