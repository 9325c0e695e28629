"""What the accounts API takes and answers."""

from typing import Annotated, Literal

from pydantic import BaseModel, Field, StringConstraints

from domain.accounts.context import Session
from domain.accounts.model import TOKEN_MS, Account, Device, Profile
from domain.identity.tokens import Maturity
from schemas.events import DeviceType
from services.http.messages import Moment, moment

Text = Annotated[str, StringConstraints(max_length=320)]
Secret = Annotated[str, StringConstraints(max_length=1024)]
Country = Annotated[str, StringConstraints(pattern="^[A-Z]{2}$")]
Language = Annotated[str, StringConstraints(pattern="^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*$", max_length=35)]
Avatar = Literal["sun", "wave", "leaf", "moon", "stone", "berry"]


class DeviceSays(BaseModel):
    name: Annotated[str, StringConstraints(min_length=1, max_length=40)] = Field("Device", examples=["Living room"])
    type: DeviceType = "unknown"


class AddressRequest(BaseModel):
    address: Text = Field(examples=["ada@example.com"])


class SignUpEnd(BaseModel):
    token: Text = Field(description="Of the link in the mail.")
    password: Secret = Field(description="10 to 128 characters.")
    name: Text = Field(description="Of the first profile.", examples=["Ada"])
    language: Language = "en"
    country: Country = Field(examples=["NL"])
    device: DeviceSays = DeviceSays()
    browser: bool = Field(False, description="Answer with cookies, and without tokens in the body.")


class ResetEnd(BaseModel):
    token: Text = Field(description="Of the link in the mail.")
    password: Secret


class LinkToken(BaseModel):
    token: Text = Field(description="Of the link.")


class SignIn(BaseModel):
    address: Text
    password: Secret
    device: DeviceSays = DeviceSays()
    device_token: Text | None = Field(
        None, description="Of an earlier session of this device: it gets in while others guess the password."
    )
    browser: bool = Field(False, description="Answer with cookies, and without tokens in the body.")


class RefreshRequest(BaseModel):
    refresh_token: Text | None = Field(None, description="Left out by a browser, whose cookie has it.")


class Choice(BaseModel):
    profile_id: Text
    pin: Text | None = None
    password: Secret | None = None


class NewAddress(BaseModel):
    address: Text
    password: Secret


class NewPassword(BaseModel):
    password: Secret
    new_password: Secret


class Password(BaseModel):
    password: Secret


class ProfileRequest(BaseModel):
    name: Text
    avatar: Avatar = "sun"
    language: Language = "en"
    maturity: Maturity = Field("18", description="Highest rating that it sees; 18: everything.")
    kids: bool = False
    password: Secret | None = Field(None, description="Needed for what shows more than before.")


class PinRequest(BaseModel):
    pin: Text | None = Field(description="Four digits; null removes it.")
    password: Secret


class CodeDecision(BaseModel):
    user_code: Text = Field(examples=["BCDF-GHJK"])
    allow: bool


class ProfileItem(BaseModel):
    id: str
    name: str
    avatar: str
    language: str
    maturity: Maturity
    kids: bool
    has_pin: bool


class DeviceItem(BaseModel):
    id: str
    name: str
    type: DeviceType
    network: str = Field(description="Where it signed in: an address cut to /24 or /48.")
    signed_in_at: Moment
    last_seen_at: Moment
    is_this: bool = Field(description="The device that asks.")


class AccountItem(BaseModel):
    id: str
    address: str
    country: str
    plan: str
    streams: int = Field(description="How many devices may play at once.")
    created_at: Moment
    profiles: list[ProfileItem]


class Devices(BaseModel):
    items: list[DeviceItem]


class Accepted(BaseModel):
    message: str


class SessionItem(BaseModel):
    account_id: str
    device_id: str
    profile_id: str | None = Field(description="Who watches; null until it is chosen.")
    profiles: list[ProfileItem]
    token_type: Literal["Bearer"] = "Bearer"  # noqa: S105  (its kind)
    expires_in: int = Field(description="Seconds that the access token holds.")
    access_token: str | None = Field(description="For `Authorization: Bearer`; null where a cookie has it.")
    refresh_token: str | None = Field(description="For the next refresh; null where a cookie has it.")
    device_token: str | None = Field(description="For the next sign-in of this device; null where a cookie has it.")


class CodeItem(BaseModel):
    """RFC 8628, 3.2."""

    device_code: str
    user_code: str
    verification_uri: str
    verification_uri_complete: str
    expires_in: int
    interval: int


class CodeError(BaseModel):
    """RFC 8628, 3.5."""

    error: str
    error_description: str


class GrantItem(BaseModel):
    user_code: str
    name: str
    type: DeviceType
    network: str


def profile_item(profile: Profile) -> ProfileItem:
    return ProfileItem(
        id=profile.profile_id,
        name=profile.name,
        avatar=profile.avatar,
        language=profile.language,
        maturity=profile.maturity,
        kids=profile.kids,
        has_pin=profile.pin_hash is not None,
    )


def device_item(device: Device, this: str) -> DeviceItem:
    return DeviceItem(
        id=device.device_id,
        name=device.name,
        type=device.kind,
        network=device.network,
        signed_in_at=moment(device.signed_in_at),
        last_seen_at=moment(device.last_seen_at),
        is_this=device.device_id == this,
    )


def account_item(account: Account) -> AccountItem:
    return AccountItem(
        id=account.account_id,
        address=account.address,
        country=account.country,
        plan=account.plan,
        streams=account.streams,
        created_at=moment(account.created_at),
        profiles=list(map(profile_item, account.profiles)),
    )


def session_item(session: Session, in_cookies: bool) -> SessionItem:
    return SessionItem(
        account_id=session.account.account_id,
        device_id=session.device.device_id,
        profile_id=session.device.profile_id,
        profiles=list(map(profile_item, session.account.profiles)),
        expires_in=TOKEN_MS // 1000,
        access_token=None if in_cookies else session.access_token,
        refresh_token=None if in_cookies else session.refresh_token,
        device_token=None if in_cookies else session.proof,
    )


def chosen_item(account: Account, profile_id: str, device_id: str, access_token: str | None) -> SessionItem:
    """After another profile was chosen: a device keeps its refresh token."""
    return SessionItem(
        account_id=account.account_id,
        device_id=device_id,
        profile_id=profile_id,
        profiles=list(map(profile_item, account.profiles)),
        expires_in=TOKEN_MS // 1000,
        access_token=access_token,
        refresh_token=None,
        device_token=None,
    )
