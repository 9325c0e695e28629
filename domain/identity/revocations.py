"""Revocations: tokens of an account, or of one of its devices or profiles, that were issued before a moment.

A pure fold, in any order and however often a record comes: the latest moment wins.
"""

from collections.abc import Iterator, Mapping
from typing import NamedTuple, Protocol

from domain.identity.tokens import PLAY_AGE_MS, Claims, Member, PlaySession, Staff

KEPT_MS = PLAY_AGE_MS + 60 * 60 * 1000
"""An older revocation concerns no token that anybody still accepts; an hour for clocks."""


class Revocation(Protocol):
    """A record of ``playhead.revocations``."""

    @property
    def account_id(self) -> str: ...
    @property
    def device_id(self) -> str | None:
        """None: all devices."""

    @property
    def profile_id(self) -> str | None:
        """None: all profiles."""

    @property
    def not_before(self) -> int:
        """Milliseconds since the epoch: tokens issued earlier are refused."""


class Subject(NamedTuple):
    account_id: str
    device_id: str | None
    profile_id: str | None


class Revocations:
    """What is revoked now. One thread takes records while others ask."""

    def __init__(self, moments: Mapping[Subject, int] | None = None) -> None:
        self._moments = dict(moments or {})

    def take(self, record: Revocation) -> None:
        subject = Subject(record.account_id, record.device_id, record.profile_id)
        self._moments[subject] = max(record.not_before, self._moments.get(subject, 0))

    def forget(self, now: int) -> None:
        """Drop what concerns no token any more."""
        for subject, moment in list(self._moments.items()):
            if moment < now - KEPT_MS:
                del self._moments[subject]

    def covers(self, claims: Claims) -> bool:
        """Whether the token is revoked. A profile's revocation covers every token that speaks of the profile, since
        what it says about it may be outdated."""
        if isinstance(claims, Staff) or not self._moments:
            return False
        return any(claims.issued_at < self._moments.get(subject, 0) for subject in _subjects(claims))

    @property
    def moments(self) -> Mapping[Subject, int]:
        return self._moments


def _subjects(claims: Member | PlaySession) -> Iterator[Subject]:
    """All that a revocation of this token could be about."""
    profiles = claims.profiles if isinstance(claims, Member) else (claims.profile_id,)
    for device in (None, claims.device_id):
        yield Subject(claims.account_id, device, None)
        for profile in profiles:
            yield Subject(claims.account_id, device, profile)
