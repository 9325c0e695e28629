"""Why an account's service says no. Codes are stable, for programs; messages are for people."""

from typing import Literal

Code = Literal[
    "bad_address",
    "bad_country",
    "bad_link",
    "weak_password",
    "wrong_credentials",
    "too_many_tries",
    "signed_out",
    "password_needed",
    "wrong_password",
    "pin_needed",
    "wrong_pin",
    "pin_locked",
    "bad_pin",
    "bad_name",
    "bad_profile",
    "too_many_profiles",
    "last_profile",
    "unknown_profile",
    "unknown_device",
    "unknown_code",
]
MESSAGES: dict[Code, str] = {
    "bad_address": "This is not an e-mail address.",
    "bad_country": "Choose a country.",
    "bad_link": "This link was used already, or has expired. Ask for a new one.",
    "weak_password": "Choose a password of 10 to 128 characters, not your address, and not one that is easily guessed.",
    "wrong_credentials": "Address and password do not belong together.",
    "too_many_tries": "Too many tries. Wait a while, or reset your password.",
    "signed_out": "This device is signed out. Sign in again.",
    "password_needed": "Enter the account's password.",
    "wrong_password": "This is not the account's password.",
    "pin_needed": "Enter the profile's PIN, or the account's password.",
    "wrong_pin": "This is not the profile's PIN.",
    "pin_locked": "Five wrong PINs. Wait 15 minutes, or enter the account's password.",
    "bad_pin": "A PIN has four digits.",
    "bad_name": "A name has 1 to 40 characters, and no other profile has the same.",
    "bad_profile": "A profile for children sees at most what is suitable from 12 on.",
    "too_many_profiles": "An account has at most five profiles.",
    "last_profile": "An account keeps at least one profile.",
    "unknown_profile": "The account has no such profile.",
    "unknown_device": "No such device is signed in.",
    "unknown_code": "No television waits with this code. Check it, or let the television show a new one.",
}


class Refused(Exception):
    """``field``: of the request, if one is at fault. ``wait_ms``: until it makes sense to ask again."""

    def __init__(self, code: Code, field: str | None = None, wait_ms: int = 0) -> None:
        self.code = code
        self.field = field
        self.wait_ms = wait_ms
        super().__init__(MESSAGES[code])
