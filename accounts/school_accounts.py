"""Signing in with an account of the school's provider: who may come, and whose account here it is.

The first sign-in looks for the account here by the address that the provider vouches for, or makes one. From then on
the provider's subject says whose it is, so another address makes no other account. An account here keeps its role.
"""

import logging
from contextlib import suppress

from django.conf import settings
from django.core.exceptions import ValidationError

from accounts import limits, signup_policy
from accounts.devices import Device
from accounts.limits import failures_counted, take
from accounts.models import Origin, SchoolAccount, User
from accounts.proofs import mailbox_proved
from accounts.school_provider import Asked, Identity
from accounts.services import user_hold
from accounts.standing import address_counts
from audit.models import Action, Outcome
from audit.trail import trail
from core import errors, logs
from core.addresses import network_of
from core.characters import says_something
from core.database.unit_of_work import retry_races, unit_of_work
from core.emails import domain_key, valid_email
from core.identity import Role
from core.limits import SCHOOL_SIGN_INS, SIGNUPS
from core.times import now

logger = logging.getLogger(__name__)

_WAY = "school account"


def school_sign_in(
    *, answer: dict[str, str], asked: Asked, back: str, address: str | None = None, device: Device | None = None
) -> User:
    """The person who comes back from the provider with `answer` (`openid.answered`).

    Raises `SchoolSignInRefused` and its kinds, a `SignupRefused` where an account would have to be made and SIGNUP lets
    nobody make it, `SchoolSignInUnavailable`, `TooManyRequests`.
    """
    from accounts.openid import answered  # noqa: PLC0415  see accounts.school_provider

    with failures_counted((SCHOOL_SIGN_INS, address)):
        try:
            identity = answered(answer, asked, back=back)
            _check_may_come(identity)
            user = _known(identity) or _welcome(identity, address)
            if not user.is_active:
                _tell_refused(user.id)
                raise errors.AccountDisabled
        except (errors.SchoolSignInRefused, errors.SignupRefused) as refusal:
            if not isinstance(refusal, errors.AccountDisabled):
                _tell_refused(None)
            raise
    trail.note(Action.SIGN_IN, _WAY, actor=user.id)
    limits.know(account=user.id, address=address)
    if device is not None:
        device.remember(user.id)
    return user


def _tell_refused(user_id: str | None) -> None:
    logs.event(logger, "sign_in_failed", "A school account that may not come.", account=user_id)
    trail.note(Action.SIGN_IN, _WAY, actor=user_id, outcome=Outcome.REFUSED)


def _check_may_come(identity: Identity) -> None:
    try:
        valid_email(identity.email)
    except ValidationError:
        raise errors.SchoolAddressUnproved from None
    if settings.OIDC_DOMAINS:
        allowed = set(map(domain_key, settings.OIDC_DOMAINS))
        if not {_domain(identity), domain_key(identity.hosted) or _domain(identity)} <= allowed:
            raise errors.NotOfSchool
    if settings.OIDC_GROUPS and identity.groups.isdisjoint(settings.OIDC_GROUPS):
        raise errors.NotOfSchool


def _domain(identity: Identity) -> str:
    return domain_key(identity.email.rpartition("@")[2])


def role_of(identity: Identity) -> Role:
    """The role of a new account: OIDC_TEACHERS names groups, or domains with an @, whose people are teachers."""
    for named in settings.OIDC_TEACHERS:
        if domain_key(named[1:]) == _domain(identity) if named.startswith("@") else named in identity.groups:
            return Role.TEACHER
    return Role.STUDENT


def _known(identity: Identity) -> User | None:
    row = SchoolAccount.objects.filter(issuer=identity.issuer, subject=identity.subject).select_related("user").first()
    return row.user if row is not None else None


def _welcome(identity: Identity, address: str | None) -> User:
    """Somebody who comes for the first time."""
    if User.objects.by_email(identity.email) is None:
        signup_policy.check_signup(role=role_of(identity), email=identity.email)
        if address is not None:
            take(SIGNUPS, network_of(address))
    return _join(identity)


@retry_races
@unit_of_work
def _join(identity: Identity) -> User:
    """Whoever loses a race against the same person's other browser finds what that one has made."""
    found = _known(identity)
    if found is not None:
        return found
    user = User.objects.by_email(identity.email)
    if user is None:
        user = _user_make(identity)
    else:
        user_hold(user_id=user.id)
        if SchoolAccount.objects.filter(user_id=user.id, issuer=identity.issuer).exists():
            raise errors.OtherSchoolAccount
        if not user.is_active:
            return user
        _take_over(user)
    SchoolAccount.objects.create(user=user, issuer=identity.issuer, subject=identity.subject)
    return user


def _user_make(identity: Identity) -> User:
    name = identity.email.partition("@")[0]
    with suppress(ValidationError):
        says_something(identity.name)
        name = identity.name
    user = User(
        name=name,
        email=identity.email,
        role=role_of(identity),
        origin=Origin.SCHOOL,
        email_verified_at=now(),
    )
    user.set_unusable_password()
    user.save(force_insert=True)
    return user


def _take_over(user: User) -> None:
    """The account is the person's, for they have its address. Nobody else's password opens it any more."""
    if user.has_usable_password() and not address_counts(user):
        user.set_unusable_password()  # whoever signed up with the address may have been anybody
        user.save(update_fields=["password"])
    mailbox_proved(user)
