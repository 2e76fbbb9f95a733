"""Students who are set aside: a class sheet or a teacher names their address, and nobody has proved it.

They are told so by mail. With the proof they are enrolled, and get the sheet's roll number if nobody has it by then.
"""

from typing import Any

from django.dispatch import receiver

from accounts import mail
from accounts.models import User
from accounts.signals import address_counts_now
from classes.enrolment import enrol
from classes.models import Enrolment, SetAside
from core.database.unit_of_work import after_commit, unit_of_work
from core.identity import Role


@unit_of_work
def set_aside(*, class_id: str, student_id: str, roll_number: str | None, sender: str | None) -> None:
    """Notes that the student belongs to the class, and mails them how to prove their address.

    `sender` is the id of the teacher who causes the mail. Doing it again changes the roll number alone.
    """
    found = SetAside.objects.filter(class_ref_id=class_id, student_id=student_id)
    if not found.exists():
        SetAside.objects.create(class_ref_id=class_id, student_id=student_id, roll_number=roll_number)
    elif roll_number is not None:
        found.update(roll_number=roll_number)
    after_commit(lambda: _tell(student_id, sender))


def _tell(student_id: str, sender: str | None) -> None:
    student = User.objects.filter(pk=student_id, is_active=True).first()
    if student is not None:
        mail.send_set_aside(user=student, sender=sender)


@receiver(address_counts_now)
def _address_counts(sender: type[User], user_id: str, **kwargs: Any) -> None:
    """Sent inside the unit of work of the proof."""
    waiting = list(SetAside.objects.filter(student_id=user_id).select_related("class_ref").order_by("id"))
    if not waiting:
        return
    if User.objects.filter(pk=user_id, role=Role.STUDENT).exists():
        for one in waiting:
            _admit(one)
    SetAside.objects.filter(student_id=user_id).delete()


def _admit(waiting: SetAside) -> None:
    there = Enrolment.objects.current().filter(class_ref_id=waiting.class_ref_id, student_id=waiting.student_id)
    if waiting.class_ref.removed_at is None and not there.exists():
        enrol(waiting.class_ref_id, [waiting.student_id])
    number = waiting.roll_number
    if number and User.objects.by_roll_number(number) is None:
        User.objects.filter(pk=waiting.student_id, roll_number=None).update(roll_number=number)
