"""The accounts service as an app: API, pages and, on this machine alone, a mailbox."""

from pathlib import Path

from fastapi import FastAPI
from starlette.staticfiles import StaticFiles

from services.accounts import account_routes, code_routes, door_pages, mailbox, member_pages, session_routes
from services.accounts.service import AccountsService, install
from services.http.app import create_app as create_service
from services.http.pages import templates

HERE = Path(__file__).parent


def create_app(service: AccountsService, port: int) -> FastAPI:
    """``port``: ours, where the mailbox is."""
    page = templates(HERE / "templates", ports={"accounts": port}).TemplateResponse
    routers = [
        account_routes.router(service),
        session_routes.router(service),
        code_routes.router(service),
        door_pages.router(service, page),
        member_pages.router(service, page),
    ]
    if service.on_loopback:
        routers.append(mailbox.router(service, page))
    app = create_service(
        title="Playhead accounts API",
        description="Accounts, profiles and devices: sign up, sign in, refresh tokens, sign in a television.",
        routers=routers,
        page=page,
        ready=service.ready,
        metrics=service.metrics,
        origins=service.origins,
    )
    install(app)
    app.mount("/account/static", StaticFiles(directory=HERE / "static"))
    return app
