"""A real SMTP server on a port of its own, and the mails that it was given."""

import email
import email.policy
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP

from tests.support.processes import START_LIMIT, free_port

LIMIT = 15.0  # seconds
#: The backend without EMAIL_URL. Django's test runner puts another one in its place.
NO_MAIL_SERVER = "accounts.console_mail.EmailBackend"


class Mailbox:
    """The mails that came, in order, by recipient. Any thread may use it."""

    def __init__(self) -> None:
        self._mails: list[tuple[str, EmailMessage]] = []
        self._came = threading.Condition()

    async def handle_DATA(self, server: SMTP, session: Any, envelope: Any) -> str:
        message = email.message_from_bytes(envelope.content, policy=email.policy.default)
        with self._came:
            self._mails += [(recipient.lower(), message) for recipient in envelope.rcpt_tos]
            self._came.notify_all()
        return "250 OK"

    def _to(self, address: str) -> list[EmailMessage]:
        return [message for recipient, message in self._mails if recipient == address.lower()]

    def sent(self, address: str) -> list[EmailMessage]:
        """The mails to `address` that have come by now, in order."""
        with self._came:
            return self._to(address)

    def wait(self, address: str, number: int = 1) -> EmailMessage:
        """The `number`th mail to `address`. Waits until it is there."""
        with self._came:
            assert self._came.wait_for(lambda: len(self._to(address)) >= number, LIMIT), f"no mail to {address}"
            return self._to(address)[number - 1]

    def code(self, address: str, number: int = 1) -> int:
        """The code in that mail's text."""
        body = self.wait(address, number).get_body(("plain",))
        assert body is not None
        found = re.search(r"\b\d{6}\b", body.get_content())
        assert found is not None
        return int(found[0])


@contextmanager
def smtp_server(port: int = 0) -> Iterator[tuple[str, Mailbox]]:
    """`(EMAIL_URL, its mailbox)` while the block runs. With `port` 0 the server takes a free port."""
    mailbox, port = Mailbox(), port or free_port()
    controller = Controller(mailbox, hostname="127.0.0.1", port=port, ready_timeout=START_LIMIT)
    controller.start()
    try:
        yield f"smtp://127.0.0.1:{port}", mailbox
    finally:
        controller.stop()
