"""Devices that are signed in: sign in, refresh, sign out here and everywhere, and the list of them."""

from dataclasses import dataclass, replace

from domain.accounts.addresses import normalized
from domain.accounts.context import Client, Context, Session
from domain.accounts.model import Account, Change
from domain.accounts.records import Why, change
from domain.accounts.refresh import RefreshToken, advanced, parse
from domain.accounts.refusals import Refused
from schemas.errors import TransientError
from schemas.events import RevocationReason

SILENT_MS = 90 * 24 * 60 * 60 * 1000
"""A device that did not refresh for this long signs in again."""


@dataclass(frozen=True, slots=True)
class Sessions:
    context: Context

    async def sign_in(self, address: str, password: str, client: Client) -> Session:
        known_as = normalized(address) or address
        found = await self.context.store.by_address(known_as)
        if not await self.context.check_password(found, known_as, password, client) or found is None:
            raise Refused("wrong_credentials")
        checked = found.password_hash
        token = self.context.first_token()

        def decide(account: Account) -> Change:
            if account.password_hash != checked:
                raise Refused("wrong_credentials")  # it was changed while we computed
            after, _ = self.context.signed_in(account, client, token)
            return change(account, after, self.context.now(), self.context.new_id)

        account = await self.context.changed(lambda: self.context.store.by_id(found.account_id), decide)
        return self._session(account, token)

    async def refresh(self, text: str) -> Session:
        """A new access token, and the successor of this token: the same one for a client that asks twice.

        Refused for a token that holds no more. Was its successor used already, the device is signed out.
        """
        token = parse(text)
        if token is None:
            raise Refused("signed_out")

        def decide(account: Account) -> Change | None:
            return self._refreshed(account, token)

        account = await self.context.changed(lambda: self.context.store.by_family(token.family_digest), decide)
        if account.device_of(token.family_digest) is None:
            raise Refused("signed_out")
        return self._session(account, token)

    async def sign_out(self, account_id: str, device_id: str) -> None:
        await self._end(account_id, "signed_out", device_id)

    async def remove_device(self, account_id: str, device_id: str) -> None:
        """Another device's end. No device is known any more that does not refresh from now on."""
        account = await self.context.store.by_id(account_id)
        if account is None or account.device(device_id) is None:
            raise Refused("unknown_device", "device_id")
        await self._end(account_id, "device_removed", device_id)

    async def sign_out_everywhere(self, account_id: str) -> None:
        await self._end(account_id, "signed_out", None)

    async def _end(self, account_id: str, reason: RevocationReason, device_id: str | None) -> None:
        def decide(account: Account) -> Change | None:
            gone = [each.device_id for each in account.devices if device_id in (None, each.device_id)]
            if device_id and not gone:
                return None
            after = account.without_devices(*gone)
            if device_id is None or reason == "device_removed":
                after = replace(after, trusted_since=self.context.now())
            why, now, new_id = Why(reason, everywhere=device_id is None), self.context.now(), self.context.new_id
            return change(account, after, now, new_id, why, ends_tickets=device_id is None)

        await self.context.changed(lambda: self.context.store.by_id(account_id), decide)

    def _refreshed(self, account: Account, token: RefreshToken) -> Change | None:
        device = account.device_of(token.family_digest)
        if device is None:
            return None
        now, new_id = self.context.now(), self.context.new_id
        chain = advanced(device.chain, token, self.context.key)
        if chain is None or now - device.last_seen_at > SILENT_MS:
            why = Why("token_reused" if chain is None else "signed_out")
            mails = (self.context.mail(account.address, "token_reused"),) if chain is None else ()
            return change(account, account.without_devices(device.device_id), now, new_id, why, mails=mails)
        if chain == device.chain:
            return None
        after = account.with_device(replace(device, chain=chain, last_seen_at=now))
        return change(account, after, now, new_id)

    def _session(self, account: Account, token: RefreshToken) -> Session:
        device = account.device_of(token.family_digest)
        if device is None:
            raise TransientError("signed out while signing in")
        return self.context.session(account, device, token.successor(self.context.key))
