"""Proofs that a mailbox is its account's owner's, and what follows from one."""

from collections.abc import Collection
from concurrent.futures import Future

from django.db.models import F

from accounts import codes, mail
from accounts.codes import Issued, Purpose
from accounts.limits import failures_counted
from accounts.models import Origin, User, announce_change
from accounts.signals import address_counts_now
from accounts.standing import role_counts
from core import errors
from core.database.unit_of_work import retry_races, unit_of_work
from core.identity import Role
from core.limits import CODE_ADDRESS
from core.times import now


def code_mail(user: User, purpose: Purpose, *, address: str | None) -> Issued:
    """Mails a code to the person, for a request that comes from `address`.

    Raises `NoAddress` for somebody without an e-mail, and `TooManyRequests` after too many mails.
    """
    issued, _ = _code_mail(user, purpose, address)
    return issued


def _code_mail(user: User, purpose: Purpose, address: str | None) -> "tuple[Issued, Future[bool]]":
    if not user.email:
        raise errors.NoAddress
    mail.allow(to=user.email, address=address)
    issued = codes.issue(user=user, purpose=purpose, address=address)
    return issued, mail.send_code(user=user, code=issued.code)


def proof_begin(*, user_id: str, address: str | None = None) -> "Future[bool]":
    """Mails a code to somebody who is signed in, and says then whether the mail server took it.

    `AlreadyProved` where there is nothing to prove.
    """
    user = User.objects.get(pk=user_id)
    if not user.awaits_proof:
        raise errors.AlreadyProved
    _, sent = _code_mail(user, Purpose.PROVE, address)
    return sent


def proof_finish(*, user_id: str, code: str, address: str | None = None) -> User:
    """The mailbox is proved by the code of `proof_begin`. Raises `InvalidCode`, `TooManyRequests`.

    Whoever does this knows the password and reads the mailbox, so a stranger who signed up with somebody's address
    gains nothing by any mail that this somebody gets.
    """
    with failures_counted((CODE_ADDRESS, address)):
        code_id = codes.check(user_id=user_id, purpose=Purpose.PROVE, code=code, address=address)
    return _prove(user_id, code_id)


@retry_races
@unit_of_work
def _prove(user_id: str, code_id: str) -> User:
    codes.use(code_id)
    user = User.objects.get(pk=user_id)
    mailbox_proved(user)
    return user


@unit_of_work
def mailbox_proved(user: User) -> None:
    """Somebody has just shown that the mailbox is theirs, and that they may use the account."""
    if user.is_proved:
        return
    role_counted = role_counts(origin=user.origin, is_proved=False)
    user.email_verified_at = now()
    user.save(update_fields=["email_verified_at"])
    _announce(user, role_counted)


@retry_races
@unit_of_work
def accounts_vouch(*, user_ids: Collection[str]) -> int:
    """The school says that these people, who signed up, are who they say; how many there were to vouch for."""
    found = list(User.objects.filter(pk__in=list(user_ids), origin=Origin.SELF).order_by("id"))
    for user in found:
        role_counted = role_counts(origin=user.origin, is_proved=user.is_proved)
        user.origin = Origin.SCHOOL
        user.save(update_fields=["origin"])
        _announce(user, role_counted)
    return len(found)


def _announce(user: User, role_counted: bool) -> None:
    """What the account may do has changed. Tokens and sockets of somebody who may do more now say the old role."""
    if not role_counted and user.role != Role.STUDENT:
        User.objects.filter(pk=user.pk).update(token_version=F("token_version") + 1, credentials_changed_at=now())
        user.refresh_from_db(fields=["token_version", "credentials_changed_at"])
        announce_change()
    address_counts_now.send(sender=User, user_id=user.pk)
