"""What accounts need of a store, a hash of passwords and a signer."""

from collections.abc import Sequence
from typing import Protocol

from domain.accounts.model import Account, Change, Grant, Mail, Ticket
from domain.identity.tokens import Member


class Accounts(Protocol):
    """Every call raises TransientError while the store cannot answer."""

    async def by_id(self, account_id: str) -> Account | None:
        """None, too, for a closed one. So does every other question."""
        ...

    async def by_address(self, address: str) -> Account | None: ...

    async def by_family(self, family: bytes) -> Account | None:
        """The account with a device of this family of refresh tokens."""
        ...

    async def apply(self, change: Change) -> bool:
        """False if somebody changed first what it was based on, or if its address or ticket is taken: nothing of it
        happened."""
        ...


class Tickets(Protocol):
    async def open(self, ticket: Ticket | None, mail: Mail | None) -> None:
        """One transaction, whether there is something to keep or not."""
        ...

    async def ticket(self, digest: bytes, now: int) -> Ticket | None:
        """None if it was used, has expired, or never was."""
        ...


class Grants(Protocol):
    async def add(self, grant: Grant) -> bool:
        """False if its user code is taken."""
        ...

    async def by_device(self, digest: bytes) -> Grant | None: ...

    async def by_user_code(self, user_code: str) -> Grant | None: ...

    async def save(self, grant: Grant) -> bool:
        """False if somebody changed it since it was read."""
        ...


class AccountsStore(Accounts, Tickets, Grants, Protocol): ...


class Outbound(Protocol):
    """Mails that wait."""

    async def unsent(self, limit: int) -> Sequence[Mail]:
        """The oldest first."""
        ...

    async def sent(self, mail_id: str, now: int, keep: bool) -> None:
        """Only a mailbox page keeps what was sent."""
        ...

    async def mailbox(self, limit: int) -> Sequence[Mail]:
        """Kept ones, the newest first."""
        ...

    async def forget(self, now: int) -> None:
        """Delete tickets and grants that have expired, and mails that are older than a day."""
        ...


class Hasher(Protocol):
    """Slow on purpose. Raises TransientError when too many wait already."""

    async def hash(self, secret: str) -> str: ...

    async def matches(self, hashed: str | None, secret: str) -> bool:
        """False without a hash, after as much work as with one."""
        ...


class Signer(Protocol):
    def sign(self, claims: Member) -> str: ...
