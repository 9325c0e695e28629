"""A change and what other services hear of it: the records follow from the account before and after.

No record has a name, an e-mail address or a network address.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from domain.accounts.model import FOREVER, Account, Change, Profile, Record
from domain.identity.tokens import MATURITIES
from schemas.events import AccountRecord, EntitlementRecord, RevocationReason, RevocationRecord


@dataclass(frozen=True, slots=True)
class Why:
    """Of a change in which tokens cease to hold."""

    reason: RevocationReason = "signed_out"
    everywhere: bool = False
    """All tokens of the account, not only those of devices that are gone."""


def change(
    before: Account | None, after: Account, now: int, new_id: Callable[[], str], why: Why | None = None, **more: Any
) -> Change:
    """``more``: of ``Change``. Records get the account's next sequence numbers."""
    made = _Records(after, now, new_id)
    for differences in (_account(before, after), _profiles(before, after), _devices(before, after)):
        for fields in differences:
            made.account(**fields)
    if before is None or after.closed_at:
        made.entitlement("ended" if after.closed_at else "active")
    for fields in _revocations(before, after, why or Why()):
        made.revocation(**fields)
    counted = replace(after, seqs=made.seqs, version=after.version + 1 if before else 0)
    return Change(counted, before, tuple(made.records), **more)


def narrower(before: Profile, after: Profile) -> bool:
    """Whether the profile may see less than before: its tokens say too much."""
    return after.kids > before.kids or MATURITIES.index(after.maturity) < MATURITIES.index(before.maturity)


def wider(before: Profile, after: Profile) -> bool:
    return narrower(after, before)


def _account(before: Account | None, after: Account) -> Iterator[dict[str, Any]]:
    if before is None:
        yield {"kind": "account", "change": "added", "country": after.country}
    elif after.closed_at:
        yield {"kind": "account", "change": "removed", "country": after.country}
    elif before.country != after.country:
        yield {"kind": "account", "change": "changed", "country": after.country}


def _profiles(before: Account | None, after: Account) -> Iterator[dict[str, Any]]:
    for profile in after.profiles:
        earlier = before.profile(profile.profile_id) if before else None
        public = {"profile_id": profile.profile_id, "maturity": profile.maturity, "kids": profile.kids}
        if earlier is None:
            yield {"kind": "profile", "change": "added", **public}
        elif (earlier.maturity, earlier.kids) != (profile.maturity, profile.kids):
            yield {"kind": "profile", "change": "changed", **public}
    for profile in before.profiles if before else ():
        if after.profile(profile.profile_id) is None:
            yield {"kind": "profile", "change": "removed", "profile_id": profile.profile_id}


def _devices(before: Account | None, after: Account) -> Iterator[dict[str, Any]]:
    for device in after.devices:
        public = {"device_id": device.device_id, "device_type": device.kind}
        earlier = before.device(device.device_id) if before else None
        if earlier is None:
            yield {"kind": "device", "change": "added", **public}
        if earlier is None or earlier.chain.family != device.chain.family:
            yield {"kind": "sign_in", "change": "added", **public}
    for device in before.devices if before else ():
        if after.device(device.device_id) is None:
            yield {"kind": "device", "change": "removed", "device_id": device.device_id, "device_type": device.kind}


def _revocations(before: Account | None, after: Account, why: Why) -> Iterator[dict[str, Any]]:
    if before is None:
        return
    if after.closed_at:
        yield {"reason": "account_closed"}
    elif why.everywhere:
        yield {"reason": why.reason}
    else:
        for device in before.devices:
            if after.device(device.device_id) is None:
                yield {"reason": why.reason, "device_id": device.device_id}
    for profile in before.profiles:
        now = after.profile(profile.profile_id)
        if now is None:
            yield {"reason": "profile_removed", "profile_id": profile.profile_id}
        elif narrower(profile, now):
            yield {"reason": "maturity_lowered", "profile_id": profile.profile_id}


class _Records:
    """Records of one moment, each with the next number of its topic."""

    def __init__(self, account: Account, now: int, new_id: Callable[[], str]) -> None:
        self.records: list[Record] = []
        self.seqs = account.seqs
        self._account = account
        self._now = now
        self._new_id = new_id

    def account(self, **fields: Any) -> None:
        self.seqs = replace(self.seqs, accounts=self.seqs.accounts + 1)
        self.records.append(AccountRecord(**self._common(self.seqs.accounts), **fields))

    def entitlement(self, status: Any) -> None:
        self.seqs = replace(self.seqs, entitlements=self.seqs.entitlements + 1)
        plan = {"plan": self._account.plan, "streams": self._account.streams, "status": status}
        until = self._now if status == "ended" else FOREVER
        self.records.append(EntitlementRecord(**self._common(self.seqs.entitlements), **plan, until=until))

    def revocation(self, **fields: Any) -> None:
        self.seqs = replace(self.seqs, revocations=self.seqs.revocations + 1)
        self.records.append(RevocationRecord(**self._common(self.seqs.revocations), **fields, not_before=self._now))

    def _common(self, seq: int) -> dict[str, Any]:
        named = {"account_id": self._account.account_id, "event_id": self._new_id()}
        return {**named, "received_at": self._now, "seq": seq}
