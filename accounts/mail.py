"""Mail to people, through Django's mail: to the console with DEBUG on, or by SMTP (EMAIL_URL).

Threads of this module send the mail. So no request waits for a mail server, and the time of an answer does not tell
whether an e-mail has an account.

Anybody can make this server write to anybody. So a mail shows no text of a person except the name, and of the name
only letters, of which no mail program makes an address or a link (`shown_name`). `allow` limits how many mails one
mailbox gets, one person causes and one address asks for.
"""

import logging
import unicodedata
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from datetime import datetime
from smtplib import SMTPException

from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string
from django.utils import timezone

from accounts.codes import LIFETIME
from accounts.limits import refuse_if_full, take
from accounts.models import User
from core import errors
from core.addresses import network_of
from core.database.unit_of_work import after_commit
from core.emails import email_key
from core.identity import Role
from core.limits import MAILS_BY, MAILS_FROM, MAILS_TO, MAILS_TO_FROM, NOTICES_TO

logger = logging.getLogger(__name__)

#: The longest name in a mail.
NAME_LENGTH = 40

#: A page waits so long for the mail server's word, seconds. After that the mail is on its way, as far as anybody knows.
PATIENCE = 3

_pool = ThreadPoolExecutor(4, thread_name_prefix="mail")


def shown_name(name: str) -> str:
    """What a mail shows of a name: letters, spaces, hyphens and apostrophes, at most NAME_LENGTH of them, on one line.

    No dot, digit, slash or sign is left of which a mail program could make an address or a link.
    """
    kept = (letter if _may_stand(letter) else " " if letter.isspace() else "" for letter in name)
    return " ".join("".join(kept).split())[:NAME_LENGTH].strip()


def _may_stand(letter: str) -> bool:
    return letter in "'’-" or unicodedata.category(letter)[0] in "LM"


def allow(*, to: str, address: str | None = None, sender: str | None = None) -> None:
    """Counts a mail to the mailbox `to`. `TooManyRequests` if there have been too many.

    `address` is where the request for the mail comes from, `sender` the id of the person who causes the mail. None
    stands for an unknown address and for no person.
    """
    mailbox = email_key(to)
    if sender is not None:
        take(MAILS_BY, sender)
    if address is not None:
        take(MAILS_FROM, network_of(address))
        take(MAILS_TO_FROM, f"{mailbox} {network_of(address)}")
    take(MAILS_TO, mailbox)


def has_failed(sent: "Future[bool]") -> bool:
    """Whether a mail could not be sent, as far as PATIENCE tells. Only for a page whose reader may know: it waits."""
    try:
        return not sent.result(PATIENCE)
    except TimeoutError:
        return False


def send_code(*, user: User, code: int) -> "Future[bool]":
    """Mails a one-time code after commit, and says then whether the mail server took it.

    A failure is logged without the code.
    """
    content = {"name": shown_name(user.name), "code": code, "minutes": int(LIFETIME.total_seconds() // 60)}
    message = EmailMultiAlternatives(
        "Your one-time code", render_to_string("accounts/mail/code.txt", content), to=[user.email]
    )
    message.attach_alternative(render_to_string("accounts/mail/code.html", content), "text/html")
    return _submit_after_commit(message)


def send_invitation(*, to: str, role: Role, secret: str, link: str, until: datetime, inviter: str) -> "Future[bool]":
    """Mails an invitation after commit, and says then whether the mail server took it. `link` may be empty."""
    content = {
        "role": role.value,
        "secret": secret,
        "link": link,
        "until": timezone.localtime(until),
        "inviter": shown_name(inviter),
    }
    text = render_to_string("accounts/mail/invitation.txt", content)
    message = EmailMultiAlternatives("Your invitation to take attendance", text, to=[to])
    return _submit_after_commit(message)


def send_set_aside(*, user: User, sender: str | None) -> None:
    """Tells the owner of the mailbox, at most once a day, that the account waits for a proof; after commit."""
    with suppress(errors.TooManyRequests):
        mailbox = email_key(user.email)
        refuse_if_full(NOTICES_TO, mailbox)
        allow(to=user.email, sender=sender)
        take(NOTICES_TO, mailbox)
        text = render_to_string("accounts/mail/set_aside.txt", {"name": shown_name(user.name)})
        message = EmailMultiAlternatives("Please confirm your address", text, to=[user.email])
        after_commit(lambda: _submit(message))


def _submit_after_commit(message: EmailMultiAlternatives) -> "Future[bool]":
    taken: Future[bool] = Future()
    after_commit(lambda: _submit(message, taken))
    return taken


def _submit(message: EmailMultiAlternatives, taken: "Future[bool] | None" = None) -> None:
    done = _pool.submit(_send, message)
    if taken is not None:
        done.add_done_callback(lambda sent: taken.set_result(sent.result()))


def _send(message: EmailMultiAlternatives) -> bool:
    try:
        message.send()
    except (OSError, SMTPException) as failure:
        logger.warning("A mail could not be sent: %s: %s", type(failure).__name__, failure)
        return False
    except Exception:
        logger.exception("A mail could not be sent.")
        return False
    return True
