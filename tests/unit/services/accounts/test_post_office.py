"""Mails leave outside of requests: each is sent once it can be, and one that is refused holds up no other."""

from dataclasses import dataclass, field

import pytest

from domain.accounts.model import Mail
from domain.metrics import MAILS_SENT
from schemas.errors import TransientError
from services.accounts.letters import letter
from services.accounts.post_office import PostOffice, Undeliverable
from tests.support.builders import T0
from tests.support.fake_accounts import FakeAccounts
from tests.support.fake_metrics import FakeMetrics


@dataclass
class Server:
    """A mail server with whims."""

    got: list[str] = field(default_factory=list)
    refuses: tuple[str, ...] = ()
    is_away: bool = False

    async def send(self, mail: Mail) -> None:
        if self.is_away:
            raise TransientError("away")
        if mail.to in self.refuses:
            raise Undeliverable("refused with 550")
        self.got.append(mail.to)


async def office(server: Server, keep: bool = False) -> tuple[PostOffice, FakeAccounts, FakeMetrics]:
    store, metrics = FakeAccounts(), FakeMetrics()
    for number, to in enumerate(("a@example.com", "b@example.com", "c@example.com")):
        await store.open(None, Mail(f"mail-{number}", to, "reset", "token", T0 + number))
    return PostOffice(store, server.send, keep, lambda: T0, metrics), store, metrics


async def test_mails_leave_in_order_and_once() -> None:
    server = Server()
    post, store, metrics = await office(server)
    assert (await post.once(), await post.once()) == (3, 0)
    assert server.got == ["a@example.com", "b@example.com", "c@example.com"]
    assert (store.kept, metrics.by(MAILS_SENT, "outcome")) == ([], {"sent": 3})


async def test_a_refused_mail_holds_up_no_other() -> None:
    server = Server(refuses=("a@example.com",))
    post, _, metrics = await office(server)
    await post.once()
    assert server.got == ["b@example.com", "c@example.com"]
    assert metrics.by(MAILS_SENT, "outcome") == {"sent": 2, "refused": 1}


async def test_mails_wait_while_the_server_is_away() -> None:
    server = Server(is_away=True)
    post, store, _ = await office(server)
    with pytest.raises(TransientError):
        await post.once()
    assert len(store.mails) == 3


async def test_a_mailbox_keeps_what_was_sent() -> None:
    post, store, _ = await office(Server(), keep=True)
    await post.once()
    assert [mail.to for mail in await store.mailbox(10)] == ["c@example.com", "b@example.com", "a@example.com"]


def test_a_letter_has_a_link_where_there_is_something_to_do() -> None:
    reset = letter(Mail("m", "a@example.com", "reset", "t0ken", T0), "https://play.example")
    assert reset.link == "https://play.example/account/reset/finish?token=t0ken"
    closed = letter(Mail("m", "a@example.com", "closed", None, T0), "https://play.example")
    assert closed.link is None
