"""What an account may do: the newer word of its token and of ``playhead.entitlements``."""

from collections.abc import Mapping

from domain.identity.tokens import Entitlement


def newer(token: Entitlement, topic: Entitlement | None) -> Entitlement:
    """The one with the higher ``seq``. An account that the topic does not know is the token's word."""
    return topic if topic is not None and topic.seq > token.seq else token


def may_play(entitlement: Entitlement, now: int) -> bool:
    """``now``: milliseconds since the epoch."""
    return entitlement.streams > 0 and now <= entitlement.until


class Entitlements:
    """The newest of each account that lately changed: a pure fold, in any order and however often a record comes."""

    def __init__(self, newest: Mapping[str, Entitlement] | None = None) -> None:
        self._newest = dict(newest or {})

    def take(self, account_id: str, entitlement: Entitlement) -> None:
        self._newest[account_id] = newer(entitlement, self._newest.get(account_id))

    def of(self, account_id: str, token: Entitlement) -> Entitlement:
        """``token``: what the account's token says."""
        return newer(token, self._newest.get(account_id))
