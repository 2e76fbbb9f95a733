"""Reads of accounts, for the apps above."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

from django.db.models import Q, QuerySet

from accounts.models import User
from accounts.standing import role_that_counts
from core import errors
from core.database.batches import pages
from core.identity import Actor, Role
from core.ids import parse_id


def is_new() -> bool:
    """Whether nobody uses this server yet: nobody has an account, but for an admin who has never signed in."""
    return not User.objects.exclude(is_superuser=True, last_login=None).exists()


def students_all() -> Iterator[Sequence[Mapping[str, Any]]]:
    """`{id, name, email, role}` of every student, the oldest account first, in pages."""
    return pages(User.objects.filter(role=Role.STUDENT).values("id", "name", "email", "role"), "id")


def user_get(user_id: str) -> User:
    """The person with this id. `UserNotFound` for an unknown id."""
    user = User.objects.filter(pk=user_id).first()
    if user is None:
        raise errors.UserNotFound
    return user


def student_get(student_id: str | None) -> User:
    """The student with this id. `StudentNotFound` for None, an unknown id and a teacher's id."""
    student = User.objects.filter(pk=student_id, role=Role.STUDENT).first() if student_id else None
    if student is None:
        raise errors.StudentNotFound
    return student


def names_of(user_ids: Iterable[str]) -> dict[str, str]:
    """Id → name of the people with these ids. Unknown ids are left out."""
    return dict(User.objects.filter(pk__in=list(user_ids)).values_list("id", "name"))


def account_find(*, role: Role, email: str = "", roll_number: str = "") -> User | None:
    """The account of this role with the e-mail, in any spelling, or without `email` with the roll number.

    None if there is no such account, or if it is disabled.
    """
    if "\0" in roll_number or not (email or roll_number):
        return None  # a URL may hold a NUL, which no database stores
    active = User.objects.filter(role=role, is_active=True)
    return active.by_email(email) if email else active.by_roll_number(roll_number)


def account_by_login(login: str) -> User | None:
    """The account, of any role, that signs in with this e-mail or roll number; None if there is none, or disabled."""
    active = User.objects.filter(is_active=True)
    return active.by_email(login) or active.by_roll_number(login)


def account_get(*, role: Role, user_id: str) -> User:
    """The account of this role with this id, and its profile. `StudentNotFound` or `TeacherNotFound` otherwise."""
    found = User.objects.filter(pk=parse_id(user_id), role=role).select_related(f"{role}_profile").first()
    if found is None:
        raise errors.StudentNotFound if role is Role.STUDENT else errors.TeacherNotFound
    return found


def students_by_roll_number(student_ids: Collection[str]) -> dict[str, str]:
    """Roll number → id of these students. Students without a roll number are left out."""
    found = User.objects.filter(pk__in=list(student_ids)).exclude(roll_number=None)
    return {roll_number: key for key, roll_number in found.values_list("id", "roll_number") if roll_number}


def is_verified(user_id: str) -> bool:
    """Whether a mailed code has proved that the account's mailbox is its owner's."""
    return User.objects.filter(pk=user_id).exclude(email_verified_at=None).exists()


def people_found(*, text: str = "", role: Role | None = None) -> "QuerySet[User]":
    """People by part of their name, in any letter case and without accents, or by their e-mail or roll number."""
    rows = User.objects.order_by("name_folded", "id")
    if role is not None:
        rows = rows.filter(role=role)
    if not text:
        return rows
    named = account_by_login(text) if "\0" not in text else None
    return rows.filter(Q(name_folded__contains=text) | Q(pk=named.pk if named is not None else None))


def students_found(*, actor: Actor, text: str) -> "QuerySet[User]":
    """For the office students by part of their name as well; for other teachers by the exact e-mail or roll number."""
    if actor.is_superuser:
        return people_found(text=text, role=Role.STUDENT)
    found = account_find(role=Role.STUDENT, email=text) or account_find(role=Role.STUDENT, roll_number=text)
    return User.objects.filter(pk=found.pk if found is not None else None)


def actor_of(user: User) -> Actor:
    """The person as an actor, for protocols that do not say who asks."""
    role = role_that_counts(role=user.role, origin=user.origin, is_proved=user.is_proved)
    return Actor(id=user.id, role=role, name=user.name, email=user.email, is_superuser=user.is_superuser)


def roll_numbers_of(student_ids: Collection[str]) -> dict[str, str]:
    """Id → roll number of these students. Students without a roll number are left out."""
    return {key: roll_number for roll_number, key in students_by_roll_number(student_ids).items()}
