"""Changes to accounts, and signing in."""

from collections.abc import Sequence
from contextlib import suppress

from django.db import IntegrityError
from django.db.models import F

from accounts import passwords, signup_policy, tokens
from accounts.credentials import account_named, password_is_right
from accounts.devices import Device
from accounts.invitations import invitation_accept
from accounts.limits import take
from accounts.models import Origin, StudentProfile, TeacherProfile, User
from accounts.proofs import proof_begin
from accounts.selectors import account_by_login, user_get
from accounts.standing import is_open
from core import errors
from core.addresses import network_of
from core.database.unit_of_work import retry_races, unit_of_work
from core.emails import refuse_other_mailboxes
from core.identity import Role
from core.limits import SIGNUPS


def user_signup(
    *,
    name: str,
    email: str,
    password: str,
    role: Role,
    invitation: str | None = None,
    address: str | None = None,
) -> User:
    """Makes an account for a person who signs up. With an `invitation` (its secret) the role is the invitation's.

    With any SIGNUP but `open` this mails a code for `proofs.proof_finish`. Raises a `SignupRefused` where SIGNUP does
    not let the person sign up, `InvalidInvitation`, `TooManyRequests`, and `EmailTaken` if another account has the
    e-mail, in any spelling.
    """
    if address is not None:
        take(SIGNUPS, network_of(address))
    if invitation:
        return invitation_accept(secret=invitation, name=name, email=email, password=password, address=address)
    signup_policy.check_signup(role=role, email=email)
    user = _user_add(name=name, email=email, password=password, role=role, origin=Origin.SELF)
    if not is_open():
        with suppress(errors.TooManyRequests):  # the account is made, and its owner may ask for a code later
            proof_begin(user_id=user.id, address=address)
    return user


def user_add(*, name: str, email: str, password: str, role: Role) -> User:
    """Makes an account in the school's name. `EmailTaken` if another account has the e-mail, in any spelling."""
    return _user_add(name=name, email=email, password=password, role=role, origin=Origin.SCHOOL)


def _user_add(*, name: str, email: str, password: str, role: Role, origin: Origin) -> User:
    refuse_other_mailboxes(email)
    if User.objects.by_email(email) is not None:
        raise errors.EmailTaken
    user = User(name=name, email=email, role=role, origin=origin, password=passwords.hash_password(password))
    try:
        user.save(force_insert=True)
    except IntegrityError:
        raise errors.EmailTaken from None  # another request has just taken the e-mail
    return user


def user_login(*, email: str, password: str, address: str | None = None, device: Device | None = None) -> str:
    """A token for the person with this e-mail and password. `address` and `device` are the client's, None if unknown.

    Raises `InvalidCredentials` for a wrong password or a disabled account, and its subclass `UnknownEmail` for an
    e-mail that nobody has. Both take as long as a success. After too many wrong passwords the function raises
    `TooManyRequests`, also for the right one.
    """
    user = User.objects.by_email(email)
    return tokens.issue(_signed_in(user, account_named(email=email), password, address, device))


def sign_in(*, login: str, password: str, address: str | None = None, device: Device | None = None) -> User:
    """The person of any role who signs in with this e-mail or roll number, and password.

    Raises what `user_login` raises, in the same time.
    """
    user = account_by_login(login)
    return _signed_in(user, account_named(email=login), password, address, device)


def _signed_in(user: User | None, named: str, password: str, address: str | None, device: Device | None) -> User:
    right = password_is_right(user, named=named, password=password, address=address, device=device)
    if user is None:
        raise errors.UnknownEmail
    if not right:
        raise errors.InvalidCredentials
    return user


@unit_of_work
def language_note(*, user_id: str, language: str) -> None:
    """Keeps the language in which the person signs in; "" changes nothing."""
    if language:
        User.objects.filter(pk=user_id).exclude(language=language).update(language=language)


def passwords_renew(users: Sequence[User]) -> list[str]:
    """Gives each of these people another random password, and returns the passwords in the same order.

    Whoever was signed in with the one before is so no longer. 70 ms a person, before anything is written.
    """
    made = [passwords.password_make() for _ in users]
    hashes = [passwords.hash_password(password) for password in made]
    _passwords_set(list(zip(users, hashes, strict=True)))
    return made


@unit_of_work
def _passwords_set(hashed: Sequence[tuple[User, str]]) -> None:
    for user, encoded in hashed:
        user.password = encoded
        user.save(update_fields=["password", "updated_at"])


@unit_of_work
def user_rename(*, user_id: str, name: str, seen: str | None = None) -> User:
    """Gives a person another name; with `seen` only if the name still is that, else `Changed`."""
    user_hold(user_id=user_id)
    user = user_get(user_id)
    if seen is not None and user.name != seen:
        raise errors.Changed
    user.name = name
    user.save(update_fields=["name", "updated_at"])
    return user


def user_hold(*, user_id: str) -> None:
    """Makes units of work that hold the same person run one after the other. Call this inside a unit of work.

    The function changes the person's row. PostgreSQL then lets another unit of work that changes the row wait, and
    MongoDB runs the other one again. A write that changes nothing would not do: MongoDB ignores such a write.
    """
    User.objects.filter(pk=user_id).update(holds=F("holds") + 1)


@retry_races
@unit_of_work
def profile_update(*, user: User, **fields: str) -> None:
    """Sets fields of the user's profile, such as `batch` or `department`. Makes the profile if there is none."""
    profiles = (StudentProfile if user.role == Role.STUDENT else TeacherProfile)._default_manager
    if not profiles.filter(user_id=user.id).update(**fields):
        profiles.create(user_id=user.id, **fields)
