"""Becoming a member and ceasing to be one: sign up, reset, change of address and password, closing.

An account begins when a link in a mail is opened and a password chosen there. So its address is verified from the
start, and nobody can set a password for somebody else's address.
"""

from base64 import urlsafe_b64encode
from dataclasses import dataclass, replace

from domain.accounts.addresses import normalized
from domain.accounts.context import Client, Context, Session, digest
from domain.accounts.model import Account, Change, Profile, Ticket, TicketPurpose
from domain.accounts.passwords import is_weak
from domain.accounts.records import Why, change
from domain.accounts.refusals import Refused

HOUR_MS = 60 * 60 * 1000
LINK_MS = 24 * HOUR_MS
RESET_MS = HOUR_MS
TOKEN_BYTES = 32


@dataclass(frozen=True, slots=True)
class FirstProfile:
    name: str
    language: str
    country: str


@dataclass(frozen=True, slots=True)
class Registration:
    context: Context

    async def sign_up(self, address: str, client: Client) -> None:
        """Mail a link with which an account begins. An address that has one gets another mail; the answer is equal."""
        to = _address(address)
        self.context.count_mail(to, client)
        account = await self.context.store.by_address(to)
        token, ticket = self._ticket("reset" if account else "sign_up", to, account, RESET_MS if account else LINK_MS)
        mail = self.context.mail(to, "known_address" if account else "sign_up", token)
        await self.context.store.open(ticket, mail)

    async def finish_sign_up(self, token: str, password: str, first: FirstProfile, client: Client) -> Session:
        ticket = await self._opened(token, "sign_up")
        hashed = await self._hashed(password, ticket.address)
        now, new_id = self.context.now(), self.context.new_id
        profile = Profile(new_id(), first.name, "sun", first.language, "18", kids=False)
        begun = Account(new_id(), ticket.address, hashed, first.country, now, (profile,))
        refresh = self.context.first_token()
        account, device = self.context.signed_in(begun, client, refresh)
        made = change(None, account, now, new_id, uses=ticket.digest)
        await self._apply(made)
        return self.context.session(made.after, device, refresh.successor(self.context.key))

    async def ask_reset(self, address: str, client: Client) -> None:
        """Mail a link with which a new password is chosen. The answer is equal for addresses without an account."""
        to = _address(address)
        self.context.count_mail(to, client)
        account = await self.context.store.by_address(to)
        if account is None:
            await self.context.store.open(None, None)
            return
        token, ticket = self._ticket("reset", to, account, RESET_MS)
        await self.context.store.open(ticket, self.context.mail(to, "reset", token))

    async def finish_reset(self, token: str, password: str) -> None:
        """A new password, with which every device signs in again."""
        ticket = await self._opened(token, "reset")
        hashed = await self._hashed(password, ticket.address)
        account = await self._of(ticket)
        await self._apply(self._with_password(account, hashed, keep=None, uses=ticket.digest))

    async def change_password(
        self, account: Account, device_id: str, password: str, new: str, client: Client
    ) -> Account:
        """A new password. Other devices sign in again, this one refreshes its token."""
        await self.confirm(account, password, client)
        hashed = await self._hashed(new, account.address, "new_password")
        made = self._with_password(account, hashed, keep=device_id)
        await self._apply(made)
        return made.after

    async def ask_address(self, account: Account, address: str, password: str, client: Client) -> None:
        """Mail a link to the new address with which it becomes the account's; the old one hears of it."""
        to = _address(address)
        await self.confirm(account, password, client)
        self.context.count_mail(to, client)
        await self.context.store.open(None, self.context.mail(account.address, "address_changes"))
        if await self.context.store.by_address(to):
            await self.context.store.open(None, self.context.mail(to, "known_address"))
            return
        token, ticket = self._ticket("address", to, account, LINK_MS)
        await self.context.store.open(ticket, self.context.mail(to, "new_address", token))

    async def finish_address(self, token: str) -> None:
        ticket = await self._opened(token, "address")
        account = await self._of(ticket)
        mails = (self.context.mail(account.address, "address_changed"),)
        after = replace(account, address=ticket.address)
        now, new_id = self.context.now(), self.context.new_id
        await self._apply(change(account, after, now, new_id, uses=ticket.digest, mails=mails, ends_tickets=True))

    async def close(self, account: Account, password: str, client: Client) -> None:
        """Nothing of it signs in any more, and its address is free again."""
        await self.confirm(account, password, client)
        mails = (self.context.mail(account.address, "closed"),)
        gone = {"address": f"closed {account.account_id}", "password_hash": None, "devices": (), "profiles": ()}
        after = replace(account, **gone, closed_at=self.context.now())  # type: ignore[arg-type]
        now, new_id = self.context.now(), self.context.new_id
        await self._apply(change(account, after, now, new_id, mails=mails, ends_tickets=True))

    async def confirm(self, account: Account, password: str | None, client: Client) -> None:
        """Refused unless it is the account's password."""
        if not password:
            raise Refused("password_needed", "password")
        if not await self.context.check_password(account, account.address, password, client):
            raise Refused("wrong_password", "password")

    async def use_link(self, token: str, client: Client) -> Session:
        ticket = await self._opened(token, "link")
        refresh = self.context.first_token()
        before = await self._of(ticket)
        account, device = self.context.signed_in(before, client, refresh)
        made = change(before, account, self.context.now(), self.context.new_id, uses=ticket.digest)
        await self._apply(made)
        return self.context.session(made.after, device, refresh.successor(self.context.key))

    def _ticket(
        self, purpose: TicketPurpose, address: str, account: Account | None, lasts_ms: int
    ) -> tuple[str, Ticket]:
        token = new_token(self.context.random(TOKEN_BYTES))
        return token, opened_by(token, purpose, address, account, self.context.now() + lasts_ms)

    async def _opened(self, token: str, purpose: TicketPurpose) -> Ticket:
        ticket = await self.context.store.ticket(digest(token), self.context.now())
        if ticket is None or ticket.purpose != purpose:
            raise Refused("bad_link", "token")
        return ticket

    async def _of(self, ticket: Ticket) -> Account:
        account = await self.context.store.by_id(ticket.account_id or "")
        if account is None:
            raise Refused("bad_link", "token")
        return account

    async def _hashed(self, password: str, address: str, field: str = "password") -> str:
        if is_weak(password, address):
            raise Refused("weak_password", field)
        return await self.context.hasher.hash(password)

    def _with_password(self, account: Account, hashed: str, keep: str | None, uses: bytes | None = None) -> Change:
        now = self.context.now()
        kept = tuple(
            replace(device, signed_in_at=now)  # as if it had signed in with it: its earlier tokens hold no more
            for device in account.devices
            if device.device_id == keep
        )
        after = replace(account, devices=kept, password_hash=hashed, trusted_since=now)
        why, mails = Why("password_changed", everywhere=True), (self.context.mail(account.address, "password_changed"),)
        return change(account, after, now, self.context.new_id, why, uses=uses, mails=mails, ends_tickets=True)

    async def _apply(self, made: Change) -> None:
        """Somebody else was first: the ticket is used, the address taken, or the account changed."""
        if not await self.context.store.apply(made):
            raise Refused("bad_link")


def new_token(random: bytes) -> str:
    """What a link ends with."""
    return urlsafe_b64encode(random).decode().rstrip("=")


def opened_by(token: str, purpose: TicketPurpose, address: str, account: Account | None, expires_at: int) -> Ticket:
    """What a link with this token is good for."""
    return Ticket(digest(token), purpose, address, account.account_id if account else None, expires_at)


def _address(text: str) -> str:
    found = normalized(text)
    if found is None:
        raise Refused("bad_address", "address")
    return found
