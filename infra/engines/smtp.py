"""Mails by SMTP, with TLS."""

import smtplib
import ssl
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid

from infra.runtime.settings import Settings
from schemas.errors import TransientError

WITHIN_S = 20.0


class Rejected(Exception):
    """The server refuses the mail for good. The message has no address."""


def send(settings: Settings, to: str, subject: str, text: str) -> None:
    """Blocks. TransientError to be asked again, Rejected for good."""
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = settings.smtp_sender, to, subject
    message["Date"], message["Message-ID"] = format_datetime(datetime.now(UTC)), make_msgid("playhead", "playhead")
    message.set_content(text)
    try:
        with smtplib.SMTP(settings.smtp_host, settings.smtp_port, timeout=WITHIN_S) as server:
            server.starttls(context=ssl.create_default_context())
            if settings.smtp_username:
                server.login(settings.smtp_username, settings.smtp_password.get_secret_value())
            server.send_message(message)
    except smtplib.SMTPRecipientsRefused as error:
        statuses = [status for status, _ in error.recipients.values()]
        if all(status >= 500 for status in statuses):
            raise Rejected(f"the recipient is refused with {statuses[0]}") from None
        raise TransientError("the mail server takes no mail now") from None
    except (smtplib.SMTPException, OSError) as error:
        raise TransientError(f"the mail server does not answer: {type(error).__name__}") from None
