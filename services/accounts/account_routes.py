"""``/v1/accounts``: sign up, reset, address, password, profiles, closing."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from domain.accounts.model import Account, Device, Profile
from domain.accounts.profiles import Proofs
from domain.accounts.registration import FirstProfile
from domain.identity.tokens import ACCOUNT_AGE_MS
from services.accounts.messages import (
    Accepted,
    AccountItem,
    AddressRequest,
    LinkToken,
    NewAddress,
    NewPassword,
    Password,
    PinRequest,
    ProfileItem,
    ProfileRequest,
    ResetEnd,
    SessionItem,
    SignUpEnd,
    account_item,
    profile_item,
    session_item,
)
from services.accounts.service import AccountsService, client, drop, keep, member_client
from services.http.errors import RESPONSES

SENT = Accepted(message="If this address can get a mail from us, it will. Open the link in it.")
"""The same for every address."""


def router(service: AccountsService) -> APIRouter:
    routes = APIRouter(prefix="/v1/accounts", tags=["accounts"], responses=RESPONSES)
    registration = service.registration

    Mine = Annotated[tuple[Account, Device], Depends(service.whose(ACCOUNT_AGE_MS))]

    @routes.post("", status_code=202, summary="Sign up: mail a link with which an account begins")
    async def sign_up(asked: AddressRequest, request: Request) -> Accepted:
        """The answer is equal for addresses that have an account. 429: wait for `Retry-After`."""
        await registration.sign_up(asked.address, client(request))
        return SENT

    @routes.post("/confirm", status_code=201, summary="Open the link: choose a password, and be signed in")
    async def finish_sign_up(asked: SignUpEnd, request: Request, response: Response) -> SessionItem:
        if asked.browser:
            service.identity.require_page(request)
        first = FirstProfile(asked.name, asked.language, asked.country)
        who = client(request, asked.device.name, asked.device.type)
        session = await registration.finish_sign_up(asked.token, asked.password, first, who)
        if asked.browser:
            keep(request, response, session)
        return session_item(session, asked.browser)

    @routes.post("/reset", status_code=202, summary="Mail a link with which a new password is chosen")
    async def ask_reset(asked: AddressRequest, request: Request) -> Accepted:
        await registration.ask_reset(asked.address, client(request))
        return SENT

    @routes.post("/reset/confirm", status_code=204, summary="Choose a new password; all devices are signed out")
    async def finish_reset(asked: ResetEnd) -> None:
        await registration.finish_reset(asked.token, asked.password)

    @routes.post("/address/confirm", status_code=204, summary="Open the link in the mail to a new address")
    async def finish_address(asked: LinkToken) -> None:
        await registration.finish_address(asked.token)

    @routes.get("/me", summary="The account, and its profiles")
    async def account(found: Mine) -> AccountItem:
        return account_item(found[0])

    @routes.post("/me/address", status_code=202, summary="Change the address: both addresses get a mail")
    async def ask_address(asked: NewAddress, found: Mine, request: Request) -> Accepted:
        await registration.ask_address(found[0], asked.address, asked.password, member_client(request, found[1]))
        return SENT

    @routes.post("/me/password", status_code=204, summary="Change the password; other devices are signed out")
    async def change_password(asked: NewPassword, found: Mine, request: Request) -> None:
        """Refresh this device's token afterwards."""
        account, device = found
        await registration.change_password(
            account, device.device_id, asked.password, asked.new_password, member_client(request, device)
        )

    @routes.post("/me/close", status_code=204, summary="Close the account")
    async def close(asked: Password, found: Mine, request: Request, response: Response) -> None:
        await registration.close(found[0], asked.password, member_client(request, found[1]))
        drop(response)

    @routes.post("/me/profiles", status_code=201, summary="Add a profile")
    async def add_profile(asked: ProfileRequest, found: Mine, request: Request) -> ProfileItem:
        after = await service.profiles.add(
            found[0], _profile("", asked), Proofs(asked.password), member_client(request, found[1])
        )
        return profile_item(after.profiles[-1])

    @routes.put("/me/profiles/{profile_id}", summary="Change a profile")
    async def edit_profile(profile_id: str, asked: ProfileRequest, found: Mine, request: Request) -> ProfileItem:
        profile = _profile(profile_id, asked)
        after = await service.profiles.edit(found[0], profile, Proofs(asked.password), member_client(request, found[1]))
        return profile_item(_of(after, profile_id))

    @routes.put("/me/profiles/{profile_id}/pin", summary="Set, change or remove a profile's PIN")
    async def set_pin(profile_id: str, asked: PinRequest, found: Mine, request: Request) -> ProfileItem:
        proofs, who = Proofs(asked.password), member_client(request, found[1])
        return profile_item(
            _of(await service.profiles.set_pin(found[0], profile_id, asked.pin, proofs, who), profile_id)
        )

    @routes.delete("/me/profiles/{profile_id}", status_code=204, summary="Remove a profile")
    async def remove_profile(profile_id: str, asked: Password, found: Mine, request: Request) -> None:
        await service.profiles.remove(found[0], profile_id, Proofs(asked.password), member_client(request, found[1]))

    return routes


def _profile(profile_id: str, asked: ProfileRequest) -> Profile:
    return Profile(profile_id, asked.name, asked.avatar, asked.language, asked.maturity, asked.kids)


def _of(account: Account, profile_id: str) -> Profile:
    return next(each for each in account.profiles if each.profile_id == profile_id)
