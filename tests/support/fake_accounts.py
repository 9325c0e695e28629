"""A store of accounts in memory, and passwords whose hashes cost nothing."""

from dataclasses import replace

from domain.accounts.model import Account, Change, Grant, Mail, Record, Ticket
from schemas.errors import TransientError


class FakeAccounts:
    """``AccountsStore`` and ``Outbound``."""

    def __init__(self) -> None:
        self.accounts: dict[str, Account] = {}
        self.records: list[Record] = []
        self.tickets: dict[bytes, Ticket] = {}
        self.grants: dict[bytes, Grant] = {}
        self.mails: dict[str, Mail] = {}
        self.kept: list[Mail] = []
        self.overtaken = 0
        """How many of the next changes somebody else overtakes."""

    async def by_id(self, account_id: str) -> Account | None:
        account = self.accounts.get(account_id)
        return account if account and not account.closed_at else None

    async def by_address(self, address: str) -> Account | None:
        return next((each for each in self.accounts.values() if each.address == address), None)

    async def by_family(self, family: bytes) -> Account | None:
        return next((each for each in self.accounts.values() if each.device_of(family)), None)

    async def apply(self, change: Change) -> bool:
        if self.overtaken:
            self.overtaken -= 1
            return False
        current = self.accounts.get(change.after.account_id)
        if (current.version if current else None) != (change.before.version if change.before else None):
            return False
        holder = await self.by_address(change.after.address)
        if holder and holder.account_id != change.after.account_id:
            return False
        if change.uses and change.uses not in self.tickets:
            return False
        if change.grant and not await self.save(change.grant):
            return False
        if change.uses:
            del self.tickets[change.uses]
        if change.ends_tickets:
            mine = change.after.account_id
            self.tickets = {digest: each for digest, each in self.tickets.items() if each.account_id != mine}
            self.grants = {digest: each for digest, each in self.grants.items() if each.account_id != mine}
        self.accounts[change.after.account_id] = change.after
        self.records += change.records
        self.mails |= {mail.mail_id: mail for mail in change.mails}
        return True

    async def open(self, ticket: Ticket | None, mail: Mail | None) -> None:
        if ticket:
            self.tickets[ticket.digest] = ticket
        if mail:
            self.mails[mail.mail_id] = mail

    async def ticket(self, digest: bytes, now: int) -> Ticket | None:
        ticket = self.tickets.get(digest)
        return ticket if ticket and ticket.expires_at > now else None

    async def add(self, grant: Grant) -> bool:
        if await self.by_user_code(grant.user_code):
            return False
        self.grants[grant.device_digest] = grant
        return True

    async def by_device(self, digest: bytes) -> Grant | None:
        return self.grants.get(digest)

    async def by_user_code(self, user_code: str) -> Grant | None:
        return next((each for each in self.grants.values() if each.user_code == user_code), None)

    async def save(self, grant: Grant) -> bool:
        if self.grants[grant.device_digest].version != grant.version:
            return False
        self.grants[grant.device_digest] = replace(grant, version=grant.version + 1)
        return True

    async def unsent(self, limit: int) -> list[Mail]:
        return sorted(self.mails.values(), key=lambda mail: mail.created_at)[:limit]

    async def sent(self, mail_id: str, now: int, keep: bool) -> None:
        mail = self.mails.pop(mail_id)
        if keep:
            self.kept.append(mail)

    async def mailbox(self, limit: int) -> list[Mail]:
        return sorted(self.kept, key=lambda mail: -mail.created_at)[:limit]

    async def forget(self, now: int) -> None:
        self.tickets = {digest: each for digest, each in self.tickets.items() if each.expires_at > now}
        self.grants = {digest: each for digest, each in self.grants.items() if each.expires_at > now}


class FakeHasher:
    """A hash is the secret behind a mark."""

    def __init__(self) -> None:
        self.computed = 0
        self.is_busy = False

    async def hash(self, secret: str) -> str:
        self._compute()
        return f"hash of {secret}"

    async def matches(self, hashed: str | None, secret: str) -> bool:
        self._compute()
        return hashed == f"hash of {secret}"

    def _compute(self) -> None:
        if self.is_busy:
            raise TransientError("too many wait")
        self.computed += 1
