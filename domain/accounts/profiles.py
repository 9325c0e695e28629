"""Who watches: up to five profiles, and what one needs to know to see more than before.

The account's password opens everything. A profile's PIN, four digits, opens the profile: five wrong ones, on whatever
profile, and the account takes none for fifteen minutes.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from domain.accounts.context import Client, Context
from domain.accounts.model import MOST_PROFILES, Account, Change, Profile
from domain.accounts.records import change, wider
from domain.accounts.refusals import Refused
from domain.accounts.registration import Registration
from domain.identity.tokens import MATURITIES

PIN_TRIES, PIN_LOCKED_MS = 5, 15 * 60 * 1000
KIDS_MATURITY = "12"
AVATARS = ("sun", "wave", "leaf", "moon", "stone", "berry")


@dataclass(frozen=True, slots=True)
class Proofs:
    """What a person entered to be allowed more."""

    password: str | None = None
    pin: str | None = None


@dataclass(frozen=True, slots=True)
class Profiles:
    context: Context

    async def add(self, account: Account, profile: Profile, proofs: Proofs, client: Client) -> Account:
        """Another profile; one that is not for children asks for the password. ``profile_id`` is ours to choose."""
        if not profile.kids:
            await self._confirm(account, proofs, client)
        made = replace(profile, profile_id=self.context.new_id())

        def decide(now: Account) -> Account:
            if len(now.profiles) >= MOST_PROFILES:
                raise Refused("too_many_profiles")
            return now.with_profile(_checked(made, now))

        return await self._changed(account, decide)

    async def edit(self, account: Account, profile: Profile, proofs: Proofs, client: Client) -> Account:
        """New name, picture, language and limits. What shows more than before asks for the password."""
        before = self._found(account, profile.profile_id)
        if wider(before, profile):
            await self._confirm(account, proofs, client)

        def decide(now: Account) -> Account:
            current = self._found(now, profile.profile_id)
            if wider(current, profile) and not wider(before, profile):
                raise Refused("password_needed", "password")
            return now.with_profile(_checked(replace(profile, pin_hash=current.pin_hash), now))

        return await self._changed(account, decide)

    async def set_pin(
        self, account: Account, profile_id: str, pin: str | None, proofs: Proofs, client: Client
    ) -> Account:
        """Set, change or, with None, remove a PIN; each asks for the password."""
        self._found(account, profile_id)
        await self._confirm(account, proofs, client)
        if pin is not None and not (len(pin) == 4 and pin.isascii() and pin.isdecimal()):
            raise Refused("bad_pin", "pin")
        hashed = await self.context.hasher.hash(pin) if pin else None
        return await self._changed(
            account, lambda now: now.with_profile(replace(self._found(now, profile_id), pin_hash=hashed))
        )

    async def remove(self, account: Account, profile_id: str, proofs: Proofs, client: Client) -> Account:
        self._found(account, profile_id)
        await self._confirm(account, proofs, client)

        def decide(now: Account) -> Account:
            rest = tuple(each for each in now.profiles if each.profile_id != profile_id)
            if not rest:
                raise Refused("last_profile")
            return replace(now, profiles=rest)

        return await self._changed(account, decide)

    async def enter(self, account: Account, device_id: str, profile_id: str, proofs: Proofs, client: Client) -> Account:
        """Watch as a profile from now on. A PIN is asked for; leaving a children's profile asks for the other one's
        PIN or the password."""
        profile = self._found(account, profile_id)
        device = account.device(device_id)
        if device is None:
            raise Refused("signed_out")
        current = account.profile(device.profile_id)
        leaves_kids = current is not None and current.kids and not profile.kids
        asks = current != profile and bool(profile.pin_hash or leaves_kids)
        if asks:
            await self._open(account, profile, proofs, client)

        def decide(now: Account) -> Account:
            device = now.device(device_id)
            if device is None or self._found(now, profile_id).pin_hash != profile.pin_hash:
                raise Refused("signed_out")
            after = now.with_device(replace(device, profile_id=profile_id))
            if not asks:
                return after
            return replace(after, pin_failures=0, pin_locked_until=0) if proofs.password else _given_back(after)

        return await self._changed(account, decide)

    async def _open(self, account: Account, profile: Profile, proofs: Proofs, client: Client) -> None:
        if proofs.password:
            await self._confirm(account, proofs, client)
        elif profile.pin_hash and proofs.pin:
            await self._changed(account, self._counted)  # before the hash: tries at once cannot pass the limit together
            if not await self.context.hasher.matches(profile.pin_hash, proofs.pin):
                raise Refused("wrong_pin", "pin")
        else:
            raise Refused("pin_needed" if profile.pin_hash else "password_needed", "pin")

    def _counted(self, account: Account) -> Account:
        now = self.context.now()
        if now < account.pin_locked_until:
            raise Refused("pin_locked", "pin", account.pin_locked_until - now)
        if account.pin_failures + 1 >= PIN_TRIES:
            return replace(account, pin_failures=0, pin_locked_until=now + PIN_LOCKED_MS)
        return replace(account, pin_failures=account.pin_failures + 1)

    async def _confirm(self, account: Account, proofs: Proofs, client: Client) -> None:
        await Registration(self.context).confirm(account, proofs.password, client)

    async def _changed(self, account: Account, decide: Callable[[Account], Account]) -> Account:
        def changed(now: Account) -> Change | None:
            after = decide(now)
            return None if after == now else change(now, after, self.context.now(), self.context.new_id)

        return await self.context.changed(lambda: self.context.store.by_id(account.account_id), changed)

    def _found(self, account: Account, profile_id: str) -> Profile:
        profile = account.profile(profile_id)
        if profile is None:
            raise Refused("unknown_profile", "profile_id")
        return profile


def _given_back(account: Account) -> Account:
    """The try that was counted beforehand was right. Earlier ones stay counted: who knows one profile's PIN is not
    to guess another's for ever."""
    before = account.pin_failures - 1 if account.pin_failures else PIN_TRIES - 1
    return replace(account, pin_failures=before, pin_locked_until=0)


def _checked(profile: Profile, account: Account) -> Profile:
    """A profile that the account may have, its name without blanks around it."""
    name = profile.name.strip()
    others = [each.name.casefold() for each in account.profiles if each.profile_id != profile.profile_id]
    if not 1 <= len(name) <= 40 or not name.isprintable() or name.casefold() in others:
        raise Refused("bad_name", "name")
    if profile.kids and MATURITIES.index(profile.maturity) > MATURITIES.index(KIDS_MATURITY):
        raise Refused("bad_profile", "maturity")
    return replace(profile, name=name)
