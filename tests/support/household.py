"""The use cases of accounts with everything that they need in memory, and a clock that only a test moves."""

from dataclasses import dataclass, field, replace
from itertools import count

from domain.accounts.context import Client, Context, Session
from domain.accounts.model import Account, Mail
from domain.accounts.ports import AccountsStore, Signer
from domain.accounts.profiles import Profiles
from domain.accounts.registration import FirstProfile, Registration, new_token, opened_by
from domain.accounts.sessions import Sessions
from domain.accounts.television import Televisions
from domain.identity.tokens import Claims
from schemas.events import RevocationRecord
from tests.support.builders import T0
from tests.support.fake_accounts import FakeAccounts, FakeHasher

PASSWORD = "correct horse battery"
ADDRESS = "ada@example.com"
HOME = Client("192.0.2.7", "Ada's laptop", "desktop")


class FakeSigner:
    def __init__(self) -> None:
        self.signed: list[Claims] = []

    def sign(self, claims: Claims) -> str:
        self.signed.append(claims)
        return f"token {len(self.signed)}"


@dataclass
class Household:
    store: FakeAccounts = field(default_factory=FakeAccounts)
    hasher: FakeHasher = field(default_factory=FakeHasher)
    signer: FakeSigner = field(default_factory=FakeSigner)
    now: int = T0

    def __post_init__(self) -> None:
        random, ids = count(1), count(1)
        self.context = Context(
            store=self.accounts_store,
            hasher=self.hasher,
            signer=self.signer,
            key=b"k" * 32,
            now=lambda: self.now,
            random=lambda size: next(random).to_bytes(size, "big"),
            new_id=lambda: f"01a0c470-ce48-7000-8000-{next(ids):012d}",
        )
        self._make_use_cases()

    def rewire(self, signer: Signer) -> None:
        """Sign with a real key."""
        self.context = replace(self.context, signer=signer)
        self._make_use_cases()

    def _make_use_cases(self) -> None:
        self.registration = Registration(self.context)
        self.sessions = Sessions(self.context)
        self.profiles = Profiles(self.context)
        self.televisions = Televisions(self.context)

    @property
    def accounts_store(self) -> AccountsStore:
        return self.store

    async def sign_up(self, address: str = ADDRESS, client: Client = HOME) -> Session:
        await self.registration.sign_up(address, client)
        token = self.last_mail().token
        assert token
        return await self.registration.finish_sign_up(token, PASSWORD, FirstProfile("Ada", "en", "NL"), client)

    async def account(self, session: Session) -> Account:
        found = await self.store.by_id(session.account.account_id)
        assert found
        return found

    async def link(self, account: Account) -> str:
        """The token of a single-use link."""
        token = new_token(b"single use")
        await self.store.open(opened_by(token, "link", account.address, account, self.now + 1000), None)
        return token

    def last_mail(self) -> Mail:
        return list(self.store.mails.values())[-1]

    def mails(self) -> list[tuple[str, str]]:
        return [(mail.to, mail.kind) for mail in self.store.mails.values()]

    def revocations(self) -> list[tuple[str, str | None, str | None]]:
        found = [record for record in self.store.records if isinstance(record, RevocationRecord)]
        return [(record.reason, record.device_id, record.profile_id) for record in found]
