"""Students as the office makes and changes them, with an e-mail or without one."""

from django.contrib.auth.hashers import make_password
from django.db import IntegrityError
from django.utils.translation import gettext as _

from accounts import passwords
from accounts.models import OneTimeCode, Origin, User, refuse_nameless
from accounts.selectors import student_get
from accounts.services import user_hold
from core import errors
from core.database.unit_of_work import unit_of_work
from core.emails import email_key, refuse_other_mailboxes
from core.identity import Actor, Role
from core.ids import parse_id
from core.roll_numbers import roll_number_key


def student_add(
    *, actor: Actor, name: str, email: str = "", roll_number: str | None = None, password: str | None = None
) -> User:
    """Makes a student's account in the school's name. Without a `password` nobody can sign in with one yet.

    Raises `WeakPassword`, `InvalidSchema` for somebody with neither e-mail nor roll number, `EmailTaken`,
    `RollNumberTaken`.
    """
    if password is not None:
        passwords.refuse_weak(password)
    user = User(name=name, email=email, roll_number=roll_number or None, origin=Origin.SCHOOL, made_by_id=actor.id)
    _refuse(user)
    user.password = make_password(None) if password is None else passwords.hash_password(password)
    try:
        user.save(force_insert=True)
    except IntegrityError:
        _refuse(user)  # another request has just taken one of the two
        raise
    return user


def student_update(
    *,
    student_id: str,
    seen: User | None = None,
    name: str | None = None,
    email: str | None = None,
    roll_number: str | None = None,
) -> User:
    """Changes what is given: None leaves what is there, and `""` takes an e-mail or a roll number away.

    With `seen` only if the student still is as it has them, else `Changed`. Raises `StudentNotFound`, and what
    `student_add` raises. Nobody has proved another e-mail, but the office stands behind it.
    """
    given = {"name": name, "email": email, "roll_number": roll_number}
    changes = {field: text for field, text in given.items() if text is not None}
    try:
        return _update(student_id, seen, changes)
    except IntegrityError:
        return _update(student_id, seen, changes)  # says which of the two another request has just taken


@unit_of_work
def _update(student_id: str, seen: User | None, changes: dict[str, str]) -> User:
    key = parse_id(student_id)
    if key is not None:
        user_hold(user_id=key)
    user = student_get(key)
    if seen is not None and student_seen(seen) != student_seen(user):
        raise errors.Changed
    before = email_key(user.email)
    for field, text in changes.items():
        setattr(user, field, text)
    user.roll_number = user.roll_number or None
    _refuse(user)
    if email_key(user.email) != before:
        user.email_verified_at, user.origin = None, Origin.SCHOOL
        OneTimeCode.objects.filter(user=user).delete()  # they went to the mailbox from before
    user.save(update_fields=["name", "email", "roll_number", "email_verified_at", "origin", "updated_at"])
    return user


def student_seen(user: User) -> tuple[str, str, str]:
    """What the office changes of a student."""
    return user.name, user.email, user.roll_number or ""


def _refuse(user: User) -> None:
    """Raises what `student_add` raises for an account that is about to be saved."""
    refuse_nameless(role=Role.STUDENT, email=user.email, roll_number=user.roll_number)
    if user.roll_number is not None and roll_number_key(user.roll_number) is None:
        raise errors.InvalidSchema({"rollNumber": [_("It has no letter that can be seen.")]})
    others = User.objects.exclude(pk=user.pk)
    if user.email:
        refuse_other_mailboxes(user.email)
        if others.by_email(user.email) is not None:
            raise errors.EmailTaken
    if user.roll_number is not None and others.by_roll_number(user.roll_number) is not None:
        raise errors.RollNumberTaken
