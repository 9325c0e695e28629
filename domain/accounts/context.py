"""What all use cases of accounts share: store, hash, keys, time, and how often something may be tried."""

import hmac
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256

from domain.accounts.addresses import network
from domain.accounts.failures import FailureRates, Subject
from domain.accounts.model import MOST_DEVICES, Account, Change, Device, Mail, MailKind
from domain.accounts.ports import AccountsStore, Hasher, Signer
from domain.accounts.refresh import FAMILY_BYTES, SECRET_BYTES, RefreshToken
from domain.accounts.refusals import Refused
from domain.clock import Clock
from schemas.errors import TransientError
from schemas.events import DeviceType

ATTEMPTS = 8
"""Of a change that others overtake."""
PROOF_MS = 180 * 24 * 60 * 60 * 1000
MAIL_LIMITS: Mapping[str, int] = {"account": 3, "address": 10, "network": 30, "all": 300}
CODE_LIMITS: Mapping[str, int] = {"address": 10, "account": 10}
"""Television codes that nobody waits for."""


@dataclass(frozen=True, slots=True)
class Client:
    """Who asks."""

    address: str
    """Network address."""
    device_name: str = "Browser"
    device_kind: DeviceType = "desktop"
    proof: str | None = None
    """That it is a device which signed in before: ``Session.proof``."""
    device_id: str | None = None
    """The account's device whose token the request has: it is signed in now."""

    @property
    def network(self) -> str:
        return network(self.address)

    def subjects(self, account: str) -> tuple[Subject, ...]:
        """``account``: its address, whether there is one or not."""
        named = {"account": account, "address": self.address, "network": self.network, "all": ""}
        return tuple(Subject(kind, name) for kind, name in named.items())


@dataclass(frozen=True, slots=True)
class Session:
    """What a device that signed in gets."""

    account: Account
    device: Device
    access_token: str
    refresh_token: str
    proof: str
    """Shows at the next sign-in that the device is known."""


@dataclass(frozen=True, slots=True)
class Context:
    store: AccountsStore
    hasher: Hasher
    signer: Signer
    key: bytes
    """Secret, at least 32 bytes: refresh tokens and proofs of known devices follow from it."""
    now: Clock
    random: Callable[[int], bytes]
    new_id: Callable[[], str]
    failures: FailureRates = field(default_factory=FailureRates)
    mails: FailureRates = field(default_factory=lambda: FailureRates(MAIL_LIMITS))
    codes: FailureRates = field(default_factory=lambda: FailureRates(CODE_LIMITS))

    async def changed(
        self, read: Callable[[], Awaitable[Account | None]], decide: Callable[[Account], Change | None]
    ) -> Account:
        """Read, decide and apply, again if somebody else was first. ``decide`` returns None for nothing to do.

        Refused if there is no such account.
        """
        for _ in range(ATTEMPTS):
            account = await read()
            if account is None:
                raise Refused("signed_out")
            change = decide(account)
            if change is None:
                return account
            if await self.store.apply(change):
                return change.after
        raise TransientError("others change the account all the time")

    async def check_password(self, account: Account | None, address: str, password: str, client: Client) -> bool:
        """Costs one hash, whether there is such an account or not, and none after too many failures."""
        subjects = client.subjects(address)
        if account and (device_id := client.device_id or self.known_device(account, client.proof)):
            subjects = (Subject("device", device_id),)
        if wait_ms := self.failures.take(subjects, self.now()):
            raise Refused("too_many_tries", wait_ms=wait_ms)
        try:
            right = await self.hasher.matches(account.password_hash if account else None, password)
        except TransientError:
            self.failures.give_back(subjects, self.now())
            raise
        if right:
            self.failures.give_back(subjects, self.now())
        return right

    def count_mail(self, address: str, client: Client) -> None:
        """Before a mail is written, or would have been."""
        if wait_ms := self.mails.take(client.subjects(address), self.now()):
            raise Refused("too_many_tries", wait_ms=wait_ms)

    def first_token(self) -> RefreshToken:
        return RefreshToken(self.random(FAMILY_BYTES), self.random(SECRET_BYTES))

    def signed_in(self, account: Account, client: Client, token: RefreshToken) -> tuple[Account, Device]:
        """The account with the client's device, whose newest refresh token that was used is ``token``."""
        now = self.now()
        device = Device(
            device_id=self.known_device(account, client.proof) or self.new_id(),
            name=client.device_name,
            kind=client.device_kind,
            network=client.network,
            signed_in_at=now,
            last_seen_at=now,
            chain=token.chain(self.key),
            profile_id=_only_profile(account),
        )
        after = account.with_device(device)
        too_many = max(0, len(after.devices) - MOST_DEVICES)
        silent = sorted(after.devices, key=lambda each: each.last_seen_at)[:too_many]
        return after.without_devices(*(each.device_id for each in silent)), device

    def session(self, account: Account, device: Device, token: RefreshToken) -> Session:
        """``token``: what the device refreshes with next. The access token is as old as the change that the device's
        row shows: one that a revocation was faster than must not be younger than it."""
        access = self.signer.sign(account.member(device, device.last_seen_at))
        return Session(account, device, access, token.text, self._proof(account, device.device_id, self.now()))

    def known_device(self, account: Account, proof: str | None) -> str | None:
        """The id of the device that shows this proof, if it ever signed in to the account."""
        device_id, _, rest = (proof or "").partition(".")
        moment, _, _ = rest.partition(".")
        if not moment.isdecimal() or len(moment) > 15:
            return None
        is_recent = max(account.trusted_since, self.now() - PROOF_MS) <= int(moment)
        expected = self._proof(account, device_id, int(moment))
        return device_id if is_recent and hmac.compare_digest(expected.encode(), (proof or "").encode()) else None

    def _proof(self, account: Account, device_id: str, moment: int) -> str:
        signed = hmac.digest(self.key, f"device|{account.account_id}|{device_id}|{moment}".encode(), "sha256")
        return f"{device_id}.{moment}.{signed.hex()}"

    def mail(self, to: str, kind: MailKind, token: str | None = None) -> Mail:
        return Mail(self.new_id(), to, kind, token, self.now())


def digest(token: str) -> bytes:
    """Of a link's token or a device code, which are kept as this."""
    return sha256(token.encode()).digest()


def _only_profile(account: Account) -> str | None:
    """Nobody is asked who watches where there is one answer."""
    if len(account.profiles) == 1 and account.profiles[0].pin_hash is None:
        return account.profiles[0].profile_id
    return None
