"""Whose cards somebody may make and void (`accounts.cards`).

The office may for every student. A teacher may for students who are enrolled today in a class that the teacher teaches
and who have no e-mail: a card signs in as the student, and whoever has a mailbox needs nobody for that. The school must
stand behind the teacher, since with SIGNUP=open anybody may be one.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from accounts.cards import cards_of
from accounts.models import Card, User
from accounts.selectors import student_get, user_get
from accounts.standing import author_of
from classes.models import Enrolment
from classes.selectors import classes_taught
from core import errors
from core.identity import Actor
from core.ids import parse_id


def student_for_card(*, actor: Actor, student_id: str) -> User:
    """The student, whose card `actor` may make and void.

    Raises `StudentNotFound`, also for somebody whom a teacher does not teach, and `OfficeOnly`.
    """
    student = student_get(parse_id(student_id))
    if not actor.is_superuser:
        classes = list(classes_taught(actor=actor, archived=False).order_by().values_list("id", flat=True))
        if not Enrolment.objects.current().filter(student=student, class_ref_id__in=classes).exists():
            raise errors.StudentNotFound
    if not _makeable(actor, [student]):
        raise errors.OfficeOnly
    return student


@dataclass(frozen=True, slots=True)
class CardLine:
    """A student of a class, the card if there is one, and whether the asker may make and void it."""

    student: User
    card: Card | None
    is_makeable: bool


def cards_of_class(*, actor: Actor, class_id: str) -> Sequence[CardLine]:
    """Whoever is enrolled today in the class, which `actor` teaches, by name."""
    enrolled = Enrolment.objects.current().filter(class_ref_id=class_id).select_related("student")
    students = [enrolment.student for enrolment in enrolled.order_by("student__name_folded", "student_id")]
    makeable = _makeable(actor, students)
    cards = cards_of([student.id for student in students])
    return [CardLine(student, cards.get(student.id), student.id in makeable) for student in students]


def _makeable(actor: Actor, students: Collection[User]) -> set[str]:
    """The ids of those of the students, whom `actor` teaches, whose cards `actor` may make and void."""
    if actor.is_superuser:
        return {student.id for student in students}
    if not author_of(user_get(actor.id)).is_school:
        return set()
    return {student.id for student in students if not student.email}
