"""What an account may do: the newer word of its token and of ``playhead.entitlements``."""

from typing import Generic, Protocol, TypeVar

from domain.identity.tokens import PLAY_AGE_MS, Entitlement

KEPT_MS = PLAY_AGE_MS + 60 * 60 * 1000
"""What is older, every token says itself; an hour for clocks."""
PLAYING = ("active", "grace")


class EntitlementNews(Protocol):
    """A record of ``playhead.entitlements``."""

    @property
    def account_id(self) -> str: ...
    @property
    def received_at(self) -> int: ...
    @property
    def plan(self) -> str: ...
    @property
    def streams(self) -> int: ...
    @property
    def status(self) -> str: ...
    @property
    def until(self) -> int: ...
    @property
    def seq(self) -> int: ...


R = TypeVar("R", bound=EntitlementNews)


def may_play(entitlement: Entitlement, now: int) -> bool:
    """``now``: milliseconds since the epoch."""
    return entitlement.streams > 0 and now <= entitlement.until


class Entitlements(Generic[R]):
    """The newest record of each account that lately changed: a fold, in any order and however often one comes."""

    def __init__(self) -> None:
        self._newest: dict[str, R] = {}

    def take(self, record: R) -> None:
        known = self._newest.get(record.account_id)
        if known is None or record.seq > known.seq:
            self._newest[record.account_id] = record

    def forget(self, now: int) -> None:
        for account_id, record in list(self._newest.items()):
            if record.received_at < now - KEPT_MS:
                del self._newest[account_id]

    def of(self, account_id: str, token: Entitlement) -> Entitlement:
        """The one with the higher ``seq`` of the topic and of the account's token. An account without news is the
        token's word."""
        news = self._newest.get(account_id)
        if news is None or news.seq <= token.seq:
            return token
        return Entitlement(news.plan, news.streams if news.status in PLAYING else 0, news.until, news.seq)

    @property
    def records(self) -> list[R]:
        return list(self._newest.values())
