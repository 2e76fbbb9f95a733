"""Whose cards somebody may make and void (`accounts.cards`).

The office may for every student. A teacher may for students who are enrolled today in a class that the teacher teaches
and who have no e-mail: a card signs in as the student, and whoever has a mailbox needs nobody for that. The school must
stand behind the teacher, since with SIGNUP=open anybody may be one.
"""

from collections.abc import Collection

from accounts.models import User
from accounts.selectors import student_get, user_get
from accounts.standing import author_of
from classes.models import Enrolment
from classes.selectors import classes_taught
from core import errors
from core.identity import Actor
from core.ids import parse_id


def student_for_card(*, actor: Actor, student_id: str) -> User:
    """The student, whose card `actor` may make and void.

    Raises `StudentNotFound`, also for a student of nobody's whom the teacher teaches, and `OfficeOnly`.
    """
    student = student_get(parse_id(student_id))
    if not actor.is_superuser:
        classes = list(classes_taught(actor=actor, archived=False).order_by().values_list("id", flat=True))
        if not Enrolment.objects.current().filter(student=student, class_ref_id__in=classes).exists():
            raise errors.StudentNotFound
    if not may_have_card(actor=actor, students=[student]):
        raise errors.OfficeOnly
    return student


def may_have_card(*, actor: Actor, students: Collection[User]) -> list[User]:
    """Those of the students, whom `actor` teaches, whose cards `actor` may make and void."""
    if actor.is_superuser:
        return list(students)
    if not author_of(user_get(actor.id)).is_school:
        return []
    return [student for student in students if not student.email]
