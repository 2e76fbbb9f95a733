"""What others read of accounts."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from accounts.models import User
from core import errors
from core.identity import Role


def students_all() -> Sequence[Mapping[str, Any]]:
    """`{id, name, email, role}` of every student, in the order in which they came."""
    return list(User.objects.filter(role=Role.STUDENT).order_by("id").values("id", "name", "email", "role"))


def user_get(user_id: str) -> User:
    """The person with this id; `UserNotFound` for an unknown one."""
    user = User.objects.filter(pk=user_id).first()
    if user is None:
        raise errors.UserNotFound
    return user


def student_get(student_id: str | None) -> User:
    """The student with this id; `StudentNotFound` for anybody else and for no id at all."""
    student = User.objects.filter(pk=student_id, role=Role.STUDENT).first() if student_id else None
    if student is None:
        raise errors.StudentNotFound
    return student


def names_of(user_ids: Iterable[str]) -> dict[str, str]:
    """People's names by id; who is not there is left out."""
    return dict(User.objects.filter(pk__in=list(user_ids)).values_list("id", "name"))
