"""Signing in a television with a telephone: the device grant (RFC 8628).

The television shows a code and asks every few seconds whether somebody entered it. That person sees which device asks,
and from where, before it is let in.
"""

from base64 import urlsafe_b64encode
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

from domain.accounts.context import Client, Context, Session, digest
from domain.accounts.failures import Subject
from domain.accounts.model import Account, Grant
from domain.accounts.records import change
from domain.accounts.refresh import derived
from domain.accounts.refusals import Refused
from schemas.errors import TransientError

LETTERS = "BCDFGHJKLMNPQRSTVWXZ"
"""Without vowels, so that no word appears, and without what looks alike."""
LASTS_S, INTERVAL_S, SLOWER_S, LONGEST_INTERVAL_S = 600, 5, 5, 30
MOST_LOOKS = 5
TOLERANCE_MS = 500
Waiting = Literal["authorization_pending", "slow_down", "access_denied", "expired_token", "invalid_grant"]


class Code(NamedTuple):
    device_code: str
    """For the television, which asks with it."""
    user_code: str
    """``BCDF-GHJK``, for people."""


@dataclass(frozen=True, slots=True)
class Televisions:
    context: Context

    async def start(self, client: Client) -> Code:
        if wait_ms := self.context.codes.take((Subject("address", f"start {client.address}"),), self.context.now()):
            raise Refused("too_many_tries", wait_ms=wait_ms)
        device_code = urlsafe_b64encode(self.context.random(32)).decode().rstrip("=")
        for _ in range(8):
            user_code = "".join(LETTERS[byte % len(LETTERS)] for byte in self.context.random(8))
            grant = Grant(
                device_digest=digest(device_code),
                user_code=user_code,
                device_name=client.device_name,
                device_kind=client.device_kind,
                network=client.network,
                expires_at=self.context.now() + LASTS_S * 1000,
                interval_s=INTERVAL_S,
            )
            if await self.context.store.add(grant):
                return Code(device_code, f"{user_code[:4]}-{user_code[4:]}")
        raise TransientError("no television code is free")

    async def look(self, user_code: str, account: Account, client: Client) -> Grant:
        """The device that waits with this code. Wrong codes are counted, and a code that is often looked at burns."""
        subjects = (Subject("address", client.address), Subject("account", account.account_id))
        if wait_ms := self.context.codes.take(subjects, self.context.now()):
            raise Refused("too_many_tries", "user_code", wait_ms)
        grant = await self.context.store.by_user_code(as_kept(user_code))
        if grant is None or grant.state != "pending" or grant.expires_at <= self.context.now():
            raise Refused("unknown_code", "user_code")
        looked = replace(grant, looks=grant.looks + 1, state="denied" if grant.looks >= MOST_LOOKS else "pending")
        if not await self.context.store.save(looked) or looked.state == "denied":
            raise Refused("unknown_code", "user_code")
        self.context.codes.give_back(subjects, self.context.now())
        return looked

    async def decide(self, user_code: str, account: Account, allow: bool, client: Client) -> None:
        """Let the television in, or not."""
        grant = await self.look(user_code, account, client)
        state: Literal["approved", "denied"] = "approved" if allow else "denied"
        decided = replace(grant, state=state, account_id=account.account_id, version=grant.version + 1)
        if not await self.context.store.save(decided):
            raise Refused("unknown_code", "user_code")

    async def poll(self, device_code: str) -> Session | Waiting:
        """The session once somebody approved; the same one again if the television lost our answer."""
        grant = await self.context.store.by_device(digest(device_code))
        if grant is None:
            return "invalid_grant"
        now = self.context.now()
        if grant.state == "denied":
            return "access_denied"
        if now >= grant.expires_at:
            return "expired_token"
        if grant.state in ("approved", "done"):
            return await self._hand_out(grant, device_code)
        too_fast = now - grant.polled_at < grant.interval_s * 1000 - TOLERANCE_MS
        interval = min(grant.interval_s + SLOWER_S, LONGEST_INTERVAL_S) if too_fast else grant.interval_s
        await self.context.store.save(replace(grant, polled_at=now, interval_s=interval))
        return "slow_down" if too_fast else "authorization_pending"

    async def _hand_out(self, grant: Grant, device_code: str) -> Session | Waiting:
        token = derived(self.context.key, device_code.encode())
        account = await self.context.store.by_id(grant.account_id or "")
        if account is None:
            return "invalid_grant"
        device = account.device_of(token.family_digest)
        if grant.state == "approved":
            client = Client("", grant.device_name, grant.device_kind)
            after, device = self.context.signed_in(account, client, token)
            device = replace(device, network=grant.network)
            made = change(
                account,
                after.with_device(device),
                self.context.now(),
                self.context.new_id,
                grant=replace(grant, state="done"),
            )
            if not await self.context.store.apply(made):
                return "authorization_pending"  # it asks again
            account = made.after
        if device is None or device.chain.held != token.digest:
            return "invalid_grant"
        return self.context.session(account, device, token.successor(self.context.key))


def as_kept(user_code: str) -> str:
    """As people type it: any case, with or without a dash."""
    return "".join(letter for letter in user_code.upper() if letter in LETTERS)
