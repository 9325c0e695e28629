"""Revocations: tokens of an account, or of one of its devices or profiles, that were issued before a moment.

A pure fold, in any order and however often a record comes: the latest moment wins.
"""

from collections.abc import Iterator
from typing import Generic, NamedTuple, Protocol, TypeVar

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


R = TypeVar("R", bound=Revocation)


class Revocations(Generic[R]):
    """What is revoked now. One thread takes records while others ask."""

    def __init__(self) -> None:
        self._latest: dict[Subject, R] = {}

    def take(self, record: R) -> None:
        subject = Subject(record.account_id, record.device_id, record.profile_id)
        known = self._latest.get(subject)
        if known is None or record.not_before > known.not_before:
            self._latest[subject] = record

    def forget(self, now: int) -> None:
        """Drop what concerns no token any more."""
        for subject, record in list(self._latest.items()):
            if record.not_before < now - KEPT_MS:
                del self._latest[subject]

    def covers(self, claims: Claims) -> bool:
        """Whether the token is revoked. A profile's revocation covers every token that speaks of the profile, since
        what it says about it may be outdated."""
        if isinstance(claims, Staff) or not self._latest:
            return False
        since = claims.issued_at
        if isinstance(claims, PlaySession):
            since = claims.member_issued_at or since
        found = (self._latest.get(subject) for subject in _subjects(claims))
        return any(record is not None and since < record.not_before for record in found)

    @property
    def records(self) -> list[R]:
        """The latest one of each account, device or profile."""
        return list(self._latest.values())


def _subjects(claims: Member | PlaySession) -> Iterator[Subject]:
    """All that a revocation of this token could be about."""
    profiles = claims.profiles if isinstance(claims, Member) else (claims.profile_id,)
    for device in (None, claims.device_id):
        yield Subject(claims.account_id, device, None)
        for profile in profiles:
            yield Subject(claims.account_id, device, profile)
