"""Mail without a mail server: printed in the server's output while DEBUG is on, else refused.

A server's output is a log, which is kept and read by people who are not to know codes and invitations.
"""

from collections.abc import Sequence

from django.conf import settings
from django.core.mail import EmailMessage
from django.core.mail.backends.console import EmailBackend as Console


def refuses_all() -> bool:
    """Whether no mail goes out and none is printed: there is no mail server, and DEBUG is off."""
    return not settings.DEBUG and settings.EMAIL_BACKEND == "accounts.console_mail.EmailBackend"


class EmailBackend(Console):
    """Django's console backend, with DEBUG on alone. Else `OSError`, as for a mail server that is not there."""

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        if not settings.DEBUG:
            why = "A rehearsal sends no mail." if settings.REHEARSAL else "EMAIL_URL names no mail server."
            raise ConnectionError(f"{why} With DEBUG on, mails are printed here instead.")
        return super().send_messages(email_messages) or 0
