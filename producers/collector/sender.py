"""Who sends a request, and whose events it may hold. Pure."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Literal

from domain.identity.tokens import Claims, Member, PlaySession
from schemas.errors import InvalidEvent
from schemas.rule_types import shown

NOT_YOURS = "not_yours"
"""Code of an event that its sender may not send. It is counted and never kept: a replay would send it after all."""
Kind = Literal["service", "public", "member", "session"]


@dataclass(frozen=True, slots=True)
class Sender:
    kind: Kind
    account_id: str | None = None
    """Whose events they are. None: a service's claim is believed, and the public has none."""
    profiles: Collection[str] = ()
    """Of the account: events of these and of no profile are its own."""
    playback_session_id: str | None = None
    """The only session of which a session's token sends."""

    def check(self, raw: dict[str, Any]) -> None:
        """Raises InvalidEvent ``not_yours`` for a client's event that is not the sender's.

        A value of a wrong type is left to the rules of the contract.
        """
        if self.kind == "service":
            return
        accounts = () if self.account_id is None else (self.account_id,)
        for name, own in (("account_id", accounts), ("profile_id", self.profiles)):
            given = raw.get(name)
            if isinstance(given, str) and given not in own:
                raise InvalidEvent(NOT_YOURS, f"{name} is {shown(given)}; {_WHY[self.kind]}", name)
        if self.kind == "session" and raw.get("playback_session_id") != self.playback_session_id:
            reason = f"playback_session_id is not the token's; {_WHY['session']}"
            raise InvalidEvent(NOT_YOURS, reason, "playback_session_id")

    def stamp(self, raw: dict[str, Any]) -> None:
        """Set the account of an event that was checked."""
        if self.account_id is not None and raw.get("account_id") is None:
            raw["account_id"] = self.account_id


SERVICE = Sender("service")
PUBLIC = Sender("public")
_WHY = {
    "public": "a public key sends events without account and profile only.",
    "member": "it is not the token's account or one of its profiles.",
    "session": "a session's token sends events of this session only.",
}


def of_token(claims: Claims) -> Sender | None:
    """Who sends with a token. None: a token that sends no events."""
    match claims:
        case Member():
            return Sender("member", claims.account_id, claims.profiles)
        case PlaySession():
            return Sender("session", claims.account_id, (claims.profile_id,), claims.playback_session_id)
    return SERVICE if "ingest" in claims.scopes else None
