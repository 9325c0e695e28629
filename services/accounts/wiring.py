"""Accounts as a process: settings -> MariaDB, keys, mails -> HTTP."""

import asyncio
import secrets
from collections.abc import Awaitable, Callable

import uuid_utils

from domain.accounts.context import Context
from domain.accounts.failures import LIMITS, FailureRates
from domain.accounts.model import Mail
from domain.clock import system_clock
from domain.processes import BY_NAME
from infra.engines.mariadb import connect
from infra.engines.smtp import Rejected, send
from infra.local.program import StackError
from infra.runtime import token_keys
from infra.runtime.metrics.prometheus import PrometheusMetrics
from infra.runtime.password_hashes import PasswordHashes
from infra.runtime.settings import Settings
from infra.stores.accounts_mariadb import MariaDbAccounts
from services.accounts.letters import letter
from services.accounts.post_office import PostOffice, Undeliverable
from services.accounts.routes import create_app
from services.accounts.service import AccountsService
from services.http.wiring import server


async def serve(settings: Settings) -> None:
    metrics = PrometheusMetrics("accounts")
    database, hashes = connect(settings, "accounts"), PasswordHashes()
    store = MariaDbAccounts(database)
    service = AccountsService(
        context=context(settings, store, hashes),
        outbound=store,
        verifier=token_keys.verifier(settings),
        public_url=settings.gateway,
        on_loopback=settings.on_loopback,
        ready=database.ping,
        metrics=metrics,
        origins=settings.web_origins,
    )
    office = PostOffice(store, mailer(settings), settings.on_loopback, system_clock, metrics)
    port = settings.process_port(BY_NAME["accounts"])
    sending = asyncio.create_task(office.run())
    await server(create_app(service, port), settings, port).serve()
    sending.cancel()
    hashes.close()
    await database.close()


def context(settings: Settings, store: MariaDbAccounts, hashes: PasswordHashes) -> Context:
    return Context(
        store=store,
        hasher=hashes,
        signer=token_keys.signer(settings),
        key=token_keys.accounts_secret(settings),
        now=system_clock,
        random=secrets.token_bytes,
        new_id=lambda: str(uuid_utils.uuid7()),
        failures=FailureRates({**LIMITS, "all": settings.sign_in_failures}),
    )


def mailer(settings: Settings) -> Callable[[Mail], Awaitable[None]]:
    """By SMTP, or, where only this machine reaches us, to the mailbox page: keeping a mail is all there is to do."""

    async def into_the_mailbox(_: Mail) -> None: ...

    async def by_smtp(mail: Mail) -> None:
        found = letter(mail, settings.gateway)
        text = f"{found.text}\n\n{found.link}\n" if found.link else f"{found.text}\n"
        try:
            await asyncio.to_thread(send, settings, mail.to, found.subject, text)
        except Rejected as error:
            raise Undeliverable(str(error)) from error

    if settings.smtp_host:
        return by_smtp
    if settings.on_loopback:
        return into_the_mailbox
    raise StackError(
        f"PLAYHEAD_BIND={settings.bind} opens accounts: set PLAYHEAD_SMTP_HOST, or nobody gets the mails with which "
        "they sign up"
    )
