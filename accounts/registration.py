"""Registration by mailed code, for accounts that an imported roster or a superuser made.

Before its owner registers, such an account awaits registration. The account has no usable password, so nobody can sign
in. Its e-mail is taken, so nobody can sign up with the e-mail: `/auth/signup` asks for no proof of the mailbox.

`address` is the address that a request comes from, or None if it is not known. `accounts.limits` counts by it.
"""

from collections.abc import Collection
from dataclasses import dataclass

from django.contrib.auth.hashers import make_password

from accounts import codes, passwords, tokens
from accounts.codes import Asked, Issued, Purpose
from accounts.credentials import account_named, password_is_right, password_set
from accounts.devices import Device
from accounts.limits import failures_counted
from accounts.models import Origin, TeacherProfile, User
from accounts.proofs import code_mail, mailbox_proved
from accounts.selectors import account_find
from accounts.standing import is_open
from core import errors
from core.database.unit_of_work import retry_races, unit_of_work
from core.emails import email_key
from core.identity import Role
from core.limits import CODE_ADDRESS
from core.times import now


@dataclass(frozen=True, slots=True)
class Newcomer:
    """A teacher to add."""

    email: str
    name: str
    department: str


def _unknown(role: Role) -> errors.ApiError:
    return errors.StudentNotFound() if role is Role.STUDENT else errors.TeacherNotFound()


def registration_begin(*, role: Role, email: str, address: str | None = None) -> Issued:
    """Mails a code with which the account's owner registers.

    Raises `StudentNotFound` or `TeacherNotFound`, `AlreadyRegistered`, `TooManyRequests`.
    """
    with failures_counted((CODE_ADDRESS, address)):
        user = account_find(role=role, email=email)
        if user is None:
            raise _unknown(role)
    if not user.awaits_registration:
        raise errors.AlreadyRegistered
    return code_mail(user, Purpose.REGISTER, address=address)


def registration_finish(
    *,
    role: Role,
    otp_token: str,
    email: str,
    password: str,
    code: str | None,
    allow_unverified: bool = False,
    address: str | None = None,
) -> User:
    """Sets the account's password.

    `code` is the mailed code, which proves that the mailbox is the client's. With None and `allow_unverified` the
    account is registered without a proof, unless it was registered before: its owner's classes and marks are in it.
    SIGNUP must be `open` for that, because such a client may be anybody.
    Raises `Unauthorized` for a bad token or another e-mail than the token's, `AlreadyRegistered`, `InvalidCode`,
    `TooManyRequests`.
    """
    asked = codes.read_token(otp_token, Purpose.REGISTER)
    user = User.objects.filter(pk=asked.user_id, role=role, is_active=True).first()
    if user is None or email_key(user.email) != email_key(email):
        raise errors.Unauthorized
    if not user.awaits_registration:
        raise errors.AlreadyRegistered
    code_id = None
    if code is not None:
        code_id = _check(asked, Purpose.REGISTER, code, address)
    elif not (allow_unverified and is_open() and user.never_registered):
        raise errors.InvalidCode
    return _register(user.id, code_id, passwords.hash_password(password))


@retry_races
@unit_of_work
def _register(user_id: str, code_id: str | None, password_hash: str) -> User:
    user = User.objects.get(pk=user_id)
    if not user.awaits_registration:
        raise errors.AlreadyRegistered
    # The row changes only if it still is as it was read. So of two registrations at once, one succeeds.
    if not User.objects.filter(pk=user_id, password=user.password).update(updated_at=now()):
        raise errors.AlreadyRegistered
    if code_id is not None:
        codes.use(code_id)
        mailbox_proved(user)
    elif user.never_registered:
        user.origin = Origin.SELF  # whoever this is, the school has not chosen them
    else:
        raise errors.InvalidCode
    user.password = password_hash
    user.save(update_fields=["password", "origin"])
    return user


def code_send(*, role: Role, email: str = "", roll_number: str = "", address: str | None = None) -> Issued:
    """Mails a code with which the account's owner confirms the mailbox, or gives up a forgotten password.

    Raises `StudentNotFound` or `TeacherNotFound`, `NoAddress`, `TooManyRequests`.
    """
    with failures_counted((CODE_ADDRESS, address)):
        user = account_find(role=role, email=email, roll_number=roll_number)
        if user is None:
            raise _unknown(role)
    return code_mail(user, Purpose.RECOVER, address=address)


def account_recover(
    *,
    role: Role,
    otp_token: str,
    code: str,
    keep_password: bool,
    email: str = "",
    roll_number: str = "",
    address: str | None = None,
) -> None:
    """Notes that the code proved the mailbox. Without `keep_password` the account awaits registration again.

    Raises `Unauthorized` for a bad token or another person's, `InvalidCode`, `TooManyRequests`.
    """
    asked = codes.read_token(otp_token, Purpose.RECOVER)
    user = account_find(role=role, email=email, roll_number=roll_number)
    if user is None or user.id != asked.user_id:
        raise errors.Unauthorized
    _recover(user.id, _check(asked, Purpose.RECOVER, code, address), keep_password)


@retry_races
@unit_of_work
def _recover(user_id: str, code_id: str, keep_password: bool) -> None:
    codes.use(code_id)
    user = User.objects.get(pk=user_id)
    mailbox_proved(user)
    if not keep_password:
        user.set_unusable_password()
        user.save(update_fields=["password"])


def _check(asked: Asked, purpose: Purpose, code: str, address: str | None) -> str:
    with failures_counted((CODE_ADDRESS, address)):
        return codes.check(user_id=asked.user_id, purpose=purpose, code=code, address=address, asked=asked)


def sign_in(
    *,
    role: Role,
    password: str,
    email: str = "",
    roll_number: str = "",
    address: str | None = None,
    device: Device | None = None,
) -> tuple[User, str]:
    """The person with this e-mail or roll number, and a token. All refusals take the same time.

    Raises `StudentNotFound` or `TeacherNotFound`, `NotRegistered`, `InvalidPassword`, `TooManyRequests`.
    """
    user = account_find(role=role, email=email, roll_number=roll_number)
    named = account_named(email=email, roll_number=roll_number)
    right = password_is_right(user, named=named, password=password, address=address, device=device)
    if user is None:
        raise _unknown(role)
    if user.awaits_registration:
        raise errors.NotRegistered
    if not right:
        raise errors.InvalidPassword
    return user, tokens.issue(user)


def password_change(
    *,
    role: Role,
    old_password: str,
    new_password: str,
    email: str = "",
    roll_number: str = "",
    address: str | None = None,
    device: Device | None = None,
) -> None:
    """Sets another password for a person who gives the old one. Older tokens end. Raises what `sign_in` raises."""
    user, _ = sign_in(
        role=role, password=old_password, email=email, roll_number=roll_number, address=address, device=device
    )
    password_set(user, new_password)


def teacher_add(newcomer: Newcomer, *, made_by: str | None = None) -> None:
    """Makes an account for a teacher, which awaits registration. `EmailTaken` if another account has the e-mail."""
    if not teachers_add([newcomer], made_by=made_by):
        raise errors.EmailTaken


@retry_races
@unit_of_work
def teachers_add(newcomers: Collection[Newcomer], *, made_by: str | None = None) -> int:
    """Makes accounts for the teachers whose e-mail no account has. Returns how many it made.

    `made_by` is the id of the person who adds the teachers.
    """
    wanted: dict[str, Newcomer] = {}
    for newcomer in newcomers:
        wanted.setdefault(email_key(newcomer.email), newcomer)
    known = set(User.objects.filter(email_key__in=list(wanted)).values_list("email_key", flat=True))
    new = {key: newcomer for key, newcomer in wanted.items() if key not in known}
    users = {
        key: User(
            name=newcomer.name,
            email=newcomer.email,
            role=Role.TEACHER,
            password=make_password(None),
            made_by_id=made_by,
        )
        for key, newcomer in new.items()
    }
    User.objects.bulk_create(users.values())
    TeacherProfile.objects.bulk_create(
        [TeacherProfile(user=users[key], department=newcomer.department) for key, newcomer in new.items()]
    )
    return len(new)
