"""Tokens for tests: by a key of the tests, or by the key files of a stack."""

from collections.abc import Iterable
from typing import TYPE_CHECKING
from uuid import uuid4

from domain.clock import Clock, system_clock
from domain.identity.keys import new_private_key, public_keys
from domain.identity.signing import Signer
from domain.identity.tokens import PLAY_AGE_MS, Claims, Entitlement, Member, Profile, Scope, Staff
from domain.identity.verifying import IsRevoked, Verifier
from infra.runtime import token_keys
from infra.runtime.settings import Settings
from services.http.identity import COOKIE, Identity

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext

PRIVATE = new_private_key()
"""Of tests without a stack."""
PUBLIC = public_keys(PRIVATE)


def member(
    profile: str = "me",
    account: str | None = None,
    profiles: Iterable[str] = (),
    issued_at: int | None = None,
    device: str = "device-1",
) -> Member:
    """A device that signed in now, with a plan that plays."""
    now = system_clock() if issued_at is None else issued_at
    return Member(
        account_id=account or f"account-{profile}",
        device_id=device,
        profile_id=profile,
        profiles={each: Profile(maturity="") for each in (profile, *profiles)},
        country="NL",
        entitlement=Entitlement("free", streams=2, until=now + PLAY_AGE_MS, seq=1),
        issued_at=now,
        expires_at=now + PLAY_AGE_MS,
    )


def staff(*scopes: Scope) -> Staff:
    now = system_clock()
    return Staff("tests", frozenset(scopes), now, now + PLAY_AGE_MS)


def headers(claims: Claims, settings: Settings | None = None) -> dict[str, str]:
    """Signed with the stack's key, or with that of tests without a stack."""
    signer = token_keys.signer(settings) if settings else Signer(PRIVATE)
    return {"Authorization": f"Bearer {signer.sign(claims)}"}


def member_headers(settings: Settings, profile: str, account: str | None = None) -> dict[str, str]:
    return headers(member(profile, account), settings)


def support_headers(settings: Settings) -> dict[str, str]:
    """Reads every history."""
    return headers(staff("support"), settings)


def verifier(now: Clock = system_clock, is_revoked: IsRevoked = lambda _: False) -> Verifier:
    """Of tokens without a stack."""
    return Verifier(lambda: PUBLIC, now, is_revoked)


def identity(now: Clock = system_clock) -> Identity:
    return Identity(verifier(now))


def sign_in(context: "BrowserContext", profile: str = "me", settings: Settings | None = None) -> None:
    """As a browser that signed in on this machine, and is a device like no other."""
    device = str(uuid4())
    token = headers(member(profile, device=device), settings)["Authorization"].removeprefix("Bearer ")
    context.add_cookies(
        [{"name": COOKIE, "value": token, "url": "http://127.0.0.1", "httpOnly": True, "sameSite": "Strict"}]
    )
