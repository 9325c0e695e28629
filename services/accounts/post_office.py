"""Sends the mails that wait, outside of any request: how long an answer takes says nothing about an address."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from itertools import count

import structlog

from domain.accounts.model import Mail
from domain.accounts.ports import Outbound
from domain.clock import Clock
from domain.metrics import MAILS_SENT, RETRIES, Metrics
from schemas.errors import TransientError

PAUSE_S, AFTER_ERROR_S = 1.0, 5.0
FORGET_EVERY = 600
"""Rounds."""
AT_ONCE = 20

log = structlog.get_logger()


class Undeliverable(Exception):
    """The mail server refuses this mail for good. The message has no address."""


@dataclass(frozen=True, slots=True)
class PostOffice:
    outbound: Outbound
    send: Callable[[Mail], Awaitable[None]]
    """Raises TransientError to be asked again, or Undeliverable."""
    keep: bool
    """For a mailbox page."""
    now: Clock
    metrics: Metrics

    async def run(self) -> None:
        """Until cancelled. A mail may be sent twice if we end between sending and noting it."""
        for turn in count():
            try:
                if turn % FORGET_EVERY == 0:
                    await self.outbound.forget(self.now())
                sent = await self.once()
                await asyncio.sleep(0 if sent == AT_ONCE else PAUSE_S)
            except TransientError as error:
                log.warning("mails wait", reason=str(error))
                await asyncio.sleep(AFTER_ERROR_S)
            except Exception:  # a defect here must not end the service, and it must not go unnoticed
                log.exception("mails not sent")
                self.metrics.increment(RETRIES, operation="mails")
                await asyncio.sleep(AFTER_ERROR_S)

    async def once(self) -> int:
        """Send the oldest that wait; returns how many."""
        mails = await self.outbound.unsent(AT_ONCE)
        for mail in mails:
            try:
                await self.send(mail)
                self.metrics.increment(MAILS_SENT, outcome="sent")
            except Undeliverable as error:
                log.warning("a mail was refused", kind=mail.kind, reason=str(error))
                self.metrics.increment(MAILS_SENT, outcome="refused")
            await self.outbound.sent(mail.mail_id, self.now(), self.keep)
        return len(mails)
