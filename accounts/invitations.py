"""Invitations: leave to sign up, once, for fourteen days, with a role that the invitation names.

An invitation goes out in one of two ways. By mail: its secret is in that mail and nowhere else, so whoever accepts it
has shown that the mailbox is theirs. As a printed link: whoever makes it is shown the secret once, to hand it over; the
address of whoever accepts it stays to be proved. Only a hash of the secret is stored.
"""

from concurrent.futures import Future
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.db.models import QuerySet

from accounts import mail, passwords, signup_policy
from accounts.limits import failures_counted
from accounts.models import Invitation, Origin, User
from accounts.printed import letters_of, secret_hash, secret_make
from accounts.proofs import mailbox_proved
from core import errors
from core.database.unit_of_work import retry_races, unit_of_work
from core.emails import email_key, refuse_other_mailboxes
from core.identity import Role
from core.limits import CODE_ADDRESS
from core.times import now

LIFETIME = timedelta(days=14)

#: 24 letters have 118 bits.
_LENGTH = 24

#: The path of the page that takes an invitation.
PAGE = "/invitation/"


@dataclass(frozen=True, slots=True, repr=False)
class Made:
    """A new invitation, and what is handed over of it. `mailed` says, once it is known, whether a mail went out."""

    invitation: Invitation
    secret: str
    mailed: "Future[bool] | None" = None

    def link(self, site: str) -> str:
        """Where the invitation is accepted; "" where nobody knows what comes before its path.

        `site`: where people reach this server, for where PUBLIC_URL does not say it; "" if that is not known.
        """
        base = settings.PUBLIC_URL or site.rstrip("/")
        return f"{base}{PAGE}{self.secret}" if base else ""


def invitation_print(*, role: Role, email: str = "", made_by: User | None = None) -> Made:
    """An invitation to be handed over, for `email` alone or for whoever gets it. Its secret is shown this once."""
    signup_policy.check_invitations()
    secret = secret_make(_LENGTH)
    return Made(_make(role, email, made_by, secret, is_mailed=False), secret)


def invitation_mail(*, role: Role, email: str, made_by: User | None = None, site: str = "") -> Made:
    """An invitation that is mailed to `email`. `site` is `Made.link`'s; never a request's, which may name any host.

    `EmailTaken` where somebody can sign in with the address already, `TooManyRequests` after too many mails.
    """
    signup_policy.check_invitations()
    user = User.objects.by_email(email)
    if user is not None and not _may_take_over(user, role):
        raise errors.EmailTaken
    mail.allow(to=email, sender=None if made_by is None else made_by.id)
    secret = secret_make(_LENGTH)
    invitation = _make(role, email, made_by, secret, is_mailed=True)
    link = Made(invitation, secret).link(site)
    name = made_by.name if made_by is not None else ""
    until = invitation.expires_at
    sent = mail.send_invitation(to=email, role=role, secret=secret, link=link, until=until, inviter=name)
    return Made(invitation, secret, sent)


def invitation_mail_or_print(*, role: Role, email: str, made_by: User | None = None) -> Made:
    """An invitation that is mailed to `email`, or one to be handed over to whoever has it, where no mail can be sent.

    Waits for the mail server for a moment. Raises as `invitation_mail`.
    """
    return invitation_print_if_unmailed(invitation_mail(role=role, email=email, made_by=made_by))


def invitation_print_if_unmailed(made: Made) -> Made:
    """`made`; or, where its mail could not be sent, another one for the same address, to be handed over.

    Waits for the mail server for a moment. Not in the unit of work that made `made`: a mail goes after the commit.
    """
    if made.mailed is None or not mail.has_failed(made.mailed):
        return made
    void = made.invitation
    invitation_void(invitation_id=void.id)
    return invitation_print(role=Role(void.role), email=void.email, made_by=void.made_by)


@unit_of_work
def _make(role: Role, email: str, made_by: User | None, secret: str, *, is_mailed: bool) -> Invitation:
    return Invitation.objects.create(
        secret_hash=_hash(secret),
        role=role,
        email=email,
        is_mailed=is_mailed,
        made_by=made_by,
        expires_at=now() + LIFETIME,
    )


def invitations_listed() -> "QuerySet[Invitation]":
    """All invitations, with whoever made them; the newest first."""
    return Invitation.objects.select_related("made_by").order_by("-created_at", "-id")


@unit_of_work
def invitation_void(*, invitation_id: str) -> bool:
    """Nobody can accept it any more; False where somebody has, or where it was withdrawn before."""
    good = Invitation.objects.filter(pk=invitation_id, used_at=None, voided_at=None)
    return bool(good.update(voided_at=now()))


def invitation_find(*, secret: str, email: str | None = None, address: str | None = None) -> Invitation:
    """The good invitation with this secret, for somebody with this e-mail (None: not known yet).

    `InvalidInvitation` otherwise, `SignupClosed` where the school takes nobody, `TooManyRequests` after many guesses.
    """
    signup_policy.check_invitations()
    with failures_counted((CODE_ADDRESS, address)):
        found = _good().filter(secret_hash=_hash(secret)).first()
        if found is None or (email is not None and found.email and email_key(found.email) != email_key(email)):
            raise errors.InvalidInvitation
    return found


def invitation_accept(*, secret: str, name: str, email: str, password: str, address: str | None = None) -> User:
    """A new account with the invitation's role, or the one with this address if nobody has shown that it is theirs.

    Raises as `invitation_find`, and `EmailTaken`.
    """
    refuse_other_mailboxes(email)
    found = invitation_find(secret=secret, email=email, address=address)
    return _accept(found.id, name, email, passwords.hash_password(password))


@retry_races
@unit_of_work
def _accept(invitation_id: str, name: str, email: str, password_hash: str) -> User:
    # The row as it is now: of two at once, one accepts.
    if not _good().filter(pk=invitation_id).update(used_at=now()):
        raise errors.InvalidInvitation
    invitation = Invitation.objects.get(pk=invitation_id)
    role = Role(invitation.role)
    user = User.objects.by_email(email)
    if user is None:
        user = User(name=name, email=email, role=role, origin=Origin.INVITED, made_by_id=invitation.made_by_id)
        user.password = password_hash
        user.save(force_insert=True)
    elif invitation.is_mailed and _may_take_over(user, role):
        user.name, user.role, user.password = name, role, password_hash
        user.origin, user.made_by_id = Origin.INVITED, invitation.made_by_id
        user.save()
    else:
        raise errors.EmailTaken
    if invitation.is_mailed:
        mailbox_proved(user)
    Invitation.objects.filter(pk=invitation_id).update(used_by_id=user.id)
    return user


def _may_take_over(user: User, role: Role) -> bool:
    """Whether who has the mailbox may make the account theirs: nobody else has shown that it is.

    Classes and rosters depend on a role, so an account has to have the invitation's already, or to be in none.
    """
    if user.is_proved or not user.is_active or user.is_staff or user.is_superuser:
        return False
    if not user.awaits_registration and user.origin != Origin.SELF:
        return False
    return user.role == role or not (user.classes_taught.exists() or user.enrolments.exists())


def _good() -> QuerySet[Invitation]:
    return Invitation.objects.filter(used_at=None, voided_at=None, expires_at__gt=now())


def _hash(secret: str) -> str:
    return secret_hash("invitation", letters_of(secret))
