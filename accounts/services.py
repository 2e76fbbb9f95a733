"""What changes accounts."""

from django.db import IntegrityError
from django.db.models import F

from accounts import passwords, tokens
from accounts.credentials import account_named, password_is_right
from accounts.devices import Device
from accounts.models import StudentProfile, TeacherProfile, User, email_key
from core import errors
from core.database.unit_of_work import retry_races, unit_of_work
from core.identity import Role


def user_signup(*, name: str, email: str, password: str, role: Role) -> User:
    """A new account. `EmailTaken` if somebody has the e-mail already, in any letter case."""
    if User.objects.filter(email_key=email_key(email)).exists():
        raise errors.EmailTaken
    user = User(name=name, email=email, role=role, password=passwords.hash_password(password))
    try:
        user.save(force_insert=True)
    except IntegrityError:
        raise errors.EmailTaken from None  # somebody else was faster
    return user


def user_login(*, email: str, password: str, address: str | None = None, device: Device | None = None) -> str:
    """A token for the person with this e-mail and password. The client comes from `address` on `device`, if known.

    `InvalidCredentials`, in the same time, otherwise; `UnknownEmail`, which is one, if nobody has the e-mail;
    `TooManyRequests` after too many of these, whatever the password.
    """
    user = User.objects.filter(email_key=email_key(email)).first()
    named = account_named(email=email)
    right = password_is_right(user, named=named, password=password, address=address, device=device)
    if user is None:
        raise errors.UnknownEmail
    if not right:
        raise errors.InvalidCredentials
    return tokens.issue(user)


def user_hold(*, user_id: str) -> None:
    """Inside a unit of work: of several that hold the same person, one runs after the other.

    The row must change for that: PostgreSQL makes the others wait until this one is over, and MongoDB, which would
    overlook a write that changes nothing, runs them again.
    """
    User.objects.filter(pk=user_id).update(holds=F("holds") + 1)


@retry_races
@unit_of_work
def profile_update(*, user: User, **fields: str) -> None:
    """Notes what a profile of the user's role has: `batch`, `department` and so on."""
    profiles = (StudentProfile if user.role == Role.STUDENT else TeacherProfile)._default_manager
    if not profiles.filter(user_id=user.id).update(**fields):
        profiles.create(user_id=user.id, **fields)
