"""Mail to people, through Django's mail: to the console by default, or by SMTP (EMAIL_URL).

Threads of this module send the mail. So no request waits for a mail server, and the time of an answer does not tell
whether an e-mail has an account.
"""

import logging
from concurrent.futures import Future, ThreadPoolExecutor
from smtplib import SMTPException

from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string

from accounts.codes import LIFETIME
from accounts.models import User
from core.database.unit_of_work import after_commit

logger = logging.getLogger(__name__)

_pool = ThreadPoolExecutor(4, thread_name_prefix="mail")


def send_code(*, user: User, code: int) -> None:
    """Mails a one-time code once the unit of work around this is committed. A failure is logged without the code."""
    content = {"name": user.name, "code": code, "minutes": int(LIFETIME.total_seconds() // 60)}
    message = EmailMultiAlternatives(
        "Your one-time code", render_to_string("accounts/mail/code.txt", content), to=[user.email]
    )
    message.attach_alternative(render_to_string("accounts/mail/code.html", content), "text/html")
    after_commit(lambda: _submit(message))


def _submit(message: EmailMultiAlternatives) -> "Future[None]":
    return _pool.submit(_send, message)


def _send(message: EmailMultiAlternatives) -> None:
    try:
        message.send()
    except (OSError, SMTPException) as failure:
        logger.warning("A mail could not be sent: %s: %s", type(failure).__name__, failure)
    except Exception:
        logger.exception("A mail could not be sent.")
