"""Who sees the console: everybody who reaches it where PLAYHEAD_BIND is a loopback address, else the staff.

Never by the peer's address: behind a gateway everybody is 127.0.0.1.
"""

from collections.abc import Awaitable, Callable, Iterable

from fastapi import APIRouter, Depends, Request

from domain.identity.tokens import Scope
from services.http.identity import SAFE, Given, Identity, require_local_name, require_own_page


def guarded(routers: Iterable[APIRouter], identity: Identity, on_loopback: bool, *scopes: Scope) -> APIRouter:
    """The routes, for staff with one of the scopes; on a loopback address for everybody under a local name.

    What changes something must come from a page of ours.
    """
    found = APIRouter(dependencies=[Depends(_check(identity, on_loopback, *scopes))])
    for router in routers:
        found.include_router(router)
    return found


def _check(identity: Identity, on_loopback: bool, *scopes: Scope) -> Callable[..., Awaitable[None]]:
    staff = identity.staff(*scopes)

    async def check(request: Request, given: Given) -> None:
        if not on_loopback:
            await staff(request, given)
            return
        require_local_name(request)
        if request.method not in SAFE:
            require_own_page(request)

    return check
