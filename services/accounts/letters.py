"""What mails say. A link leads to a page of ours, which asks before it does anything."""

from dataclasses import dataclass

from domain.accounts.model import Mail, MailKind


@dataclass(frozen=True, slots=True)
class Letter:
    subject: str
    text: str
    link: str | None


@dataclass(frozen=True, slots=True)
class _Text:
    subject: str
    text: str
    page: str | None = None


_TEXTS: dict[MailKind, _Text] = {
    "sign_up": _Text(
        "Begin with Playhead",
        "Choose a password, and your account begins. The link works once, for a day. "
        "If you did not ask for it, there is nothing to do.",
        "/account/sign-up/finish",
    ),
    "known_address": _Text(
        "You have an account already",
        "Somebody entered this address to begin an account, and it has one. Sign in, or choose a new password here. "
        "If it was not you, there is nothing to do.",
        "/account/reset/finish",
    ),
    "reset": _Text(
        "Choose a new password",
        "The link works once, for an hour. All your devices then sign in again. "
        "If you did not ask for it, there is nothing to do.",
        "/account/reset/finish",
    ),
    "password_changed": _Text(
        "Your password was changed",
        "Devices other than the one that changed it are signed out. If it was not you, choose a new password at once.",
    ),
    "new_address": _Text(
        "Is this your new address?",
        "Open the link, and your account has this address. It works once, for a day.",
        "/account/address/confirm",
    ),
    "address_changes": _Text(
        "Your address is about to change",
        "Somebody who knows your password asked for it. If it was not you, choose a new password at once.",
    ),
    "address_changed": _Text("Your address was changed", "Your account has another address now."),
    "token_reused": _Text(
        "One of your devices was signed out",
        "A copy of its key was used. Sign in again on that device, and choose a new password if you do not know why.",
    ),
    "closed": _Text("Your account is closed", "All your devices are signed out, and your profiles are gone."),
}


def letter(mail: Mail, public_url: str) -> Letter:
    """``public_url``: of the gateway."""
    text = _TEXTS[mail.kind]
    link = f"{public_url}{text.page}?token={mail.token}" if text.page and mail.token else None
    return Letter(text.subject, text.text, link)
