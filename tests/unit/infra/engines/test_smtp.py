"""Mails to a real SMTP server, which has a certificate, asks for a password, and may refuse."""

import socket
import ssl
from collections.abc import Iterator
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from infra.engines.smtp import Rejected, send
from infra.runtime.settings import Settings
from schemas.errors import TransientError
from tests.support.authority import Authority

PASSWORD = "of the mail server"


@dataclass
class Inbox:
    """What the server took, and what it answers to each recipient."""

    mails: list[tuple[str, list[str], EmailMessage]] = field(default_factory=list)
    """From, to, and the mail."""
    answers: dict[str, str] = field(default_factory=dict)

    async def handle_RCPT(self, server: SMTP, session: Session, envelope: Envelope, to: str, options: list[str]) -> str:
        assert session.authenticated
        answer = self.answers.get(to, "250 OK")
        if answer.startswith("250"):
            envelope.rcpt_tos.append(to)
        return answer

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        assert isinstance(envelope.content, bytes)
        mail = message_from_bytes(envelope.content, policy=policy.default)
        assert isinstance(mail, EmailMessage)
        self.mails.append((str(envelope.mail_from), envelope.rcpt_tos, mail))
        return "250 OK"


@pytest.fixture
def inbox() -> Inbox:
    return Inbox()


@pytest.fixture
def settings(inbox: Inbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Settings]:
    authority = Authority(tmp_path, "authority")
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.ca_file))
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(authority.server_file())

    def check(server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: LoginPassword) -> AuthResult:
        is_right = (data.login, data.password) == (b"playhead", PASSWORD.encode())
        return AuthResult(success=is_right, handled=False)

    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    server = Controller(
        inbox,
        hostname="127.0.0.1",
        port=port,
        tls_context=tls,
        require_starttls=True,
        authenticator=check,
        auth_required=True,
    )
    server.start()
    try:
        yield Settings(
            smtp_host="127.0.0.1",
            smtp_port=port,
            smtp_username="playhead",
            smtp_password=PASSWORD,
            smtp_sender="P <p@q.r>",
        )
    finally:
        server.stop()


def test_a_mail_arrives_as_it_was_written(settings: Settings, inbox: Inbox) -> None:
    send(settings, "ada@example.com", "Grüße", "Öffne den Link:\n\nhttp://127.0.0.1/x?token=a-b_c\n")
    ((sender, to, mail),) = inbox.mails
    assert (sender, to) == ("p@q.r", ["ada@example.com"])
    assert (mail["From"], mail["To"], mail["Subject"]) == ("P <p@q.r>", "ada@example.com", "Grüße")
    assert mail.get_content().replace("\r\n", "\n") == "Öffne den Link:\n\nhttp://127.0.0.1/x?token=a-b_c\n"
    assert mail["Date"]
    assert mail["Message-ID"]


@pytest.mark.parametrize(
    ("answer", "error", "message"),
    [
        ("550 no such user ada@example.com", Rejected, "the recipient is refused with 550"),
        ("450 come later ada@example.com", TransientError, "the mail server takes no mail now"),
    ],
)
def test_a_recipient_that_is_refused_is_not_named(
    settings: Settings, inbox: Inbox, answer: str, error: type[Exception], message: str
) -> None:
    inbox.answers["ada@example.com"] = answer
    with pytest.raises(error, match=f"^{message}$"):
        send(settings, "ada@example.com", "s", "t")


def test_a_wrong_password_lets_mails_wait(settings: Settings, inbox: Inbox) -> None:
    wrong = settings.model_copy(update={"smtp_username": "somebody"})
    with pytest.raises(TransientError, match="does not answer: SMTPAuthenticationError"):
        send(wrong, "ada@example.com", "s", "t")
    assert inbox.mails == []


def test_a_server_that_is_not_trusted_gets_neither_password_nor_mail(
    settings: Settings, inbox: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")
    with pytest.raises(TransientError, match="does not answer: SSLCertVerificationError"):
        send(settings, "ada@example.com", "s", "t")
    assert inbox.mails == []


def test_a_server_that_is_away_lets_mails_wait(settings: Settings) -> None:
    with pytest.raises(TransientError, match="does not answer: ConnectionRefusedError"):
        send(settings.model_copy(update={"smtp_port": 1}), "ada@example.com", "s", "t")
