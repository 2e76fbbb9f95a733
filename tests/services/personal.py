"""A student and a teacher of whom every table knows something that names them."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.apps import apps
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import Group
from django.contrib.contenttypes.models import ContentType

from accounts.models import Invitation, OneTimeCode, StudentProfile, TeacherProfile, User, VoidedToken
from attendance import services
from attendance.enums import ExcuseState, Method, Status
from attendance.models import (
    Attendance,
    CheckIn,
    CheckInDevice,
    Excuse,
    ExcusedClass,
    Flag,
    Mark,
    Session,
    UsedClaim,
)
from audit.models import Action, Entry, Outcome
from classes.models import Class, CoTeacher, Enrolment, SetAside
from core.identity import Actor, Role
from core.times import now
from notices.models import Delivery, Kind, Notice
from tests.api.rest import make_user

#: Texts that name the student or the teacher, and stand in no other text.
SECRETS = ("Zoltan", "zoltan", "R-4711-X", "Xanthippe", "+49 30 555", "198.51.100.7", "48.20849", "device-of-z")


@dataclass
class Known:
    """A school that knows Zoltan, a student, and Xanthippe, who taught with the owner of the class."""

    owner: User = field(default_factory=lambda: make_user("Owner", "teacher"))
    classmate: User = field(default_factory=lambda: make_user("Classmate"))
    zoltan: User = field(default_factory=lambda: make_user("Zoltan Quill", roll_number="R-4711-X"))
    xanthippe: User = field(default_factory=lambda: make_user("Xanthippe Moor", "teacher"))

    def __post_init__(self) -> None:
        self.physics = Class.objects.create(name="Physics", teacher=self.owner)
        CoTeacher.objects.create(class_ref=self.physics, teacher=self.xanthippe)
        for student in (self.zoltan, self.classmate):
            Enrolment.objects.create(class_ref=self.physics, student=student, since=None)
        self._accounts()
        self._lesson()
        self._logs()

    def _accounts(self) -> None:
        zoltan, moment = self.zoltan, now()
        StudentProfile.objects.create(
            user=zoltan, phone="+49 30 555 1", enroll="E-Zoltan", guardian_email="guardian-of-zoltan@example.com"
        )
        TeacherProfile.objects.create(user=self.xanthippe, telephone="+49 30 555 2")
        OneTimeCode.objects.create(user=zoltan, purpose="reset", code_hash="x", tries_left=1, expires_at=moment)
        VoidedToken.objects.create(key="k", user=zoltan, expires_at=moment)
        self.xanthippe.groups.add(Group.objects.create(name="Timetable"))
        for number, used_by in enumerate([zoltan, None]):
            Invitation.objects.create(
                secret_hash=str(number), role=Role.STUDENT, email=zoltan.email, used_by=used_by, expires_at=moment
            )
        SetAside.objects.create(class_ref=self.physics, student=zoltan, roll_number="R-4711-X")

    def _lesson(self) -> None:
        """Two lessons: an ended one in which Zoltan was late and was corrected, and a voided one."""
        zoltan, classmate, moment = self.zoltan, self.classmate, now()
        started = moment - timedelta(days=1)
        session = Session.objects.create(
            class_ref=self.physics, started_by=self.xanthippe, started_at=started, last_activity_at=started
        )
        self.session = session
        rows: list[tuple[User, str, User, str]] = [
            (zoltan, Status.LATE, zoltan, ""),
            (zoltan, Status.PRESENT, self.owner, "the bus of Zoltan"),
            (classmate, Status.ABSENT, self.owner, "was seen with Zoltan Quill"),
            (classmate, Status.PRESENT, self.owner, "nothing about anybody"),
        ]
        for seq, (student, status, by, note) in enumerate(rows, 1):
            Mark.objects.create(
                session=session,
                seq=seq,
                student=student,
                status=status,
                at=started,
                by=by,
                method=Method.SELF if by == zoltan else Method.TEACHER,
                note=note,
            )
        Session.objects.filter(pk=session.pk).update(last_seq=len(rows))
        services.session_end(session_id=session.id)
        CheckIn.objects.create(
            session=session, nonce="n", mode="fixed", latitude=48.20849, longitude=16.37208, range=50, outside="flag",
            same_device="flag",
        )  # fmt: skip
        CheckInDevice.objects.create(session=session, device="device-of-z", student=zoltan)
        UsedClaim.objects.create(key="claim", student=zoltan, used_at=moment)
        Flag.objects.create(session=session, student=zoltan, kind=Flag.Kind.OUT_OF_RANGE, metres=340)
        Flag.objects.create(session=session, student=classmate, kind=Flag.Kind.OTHER_DEVICE, other=zoltan)
        for student, note in ((zoltan, "Zoltan is at the doctor's"), (classmate, "a party of Zoltan Quill")):
            excuse = Excuse.objects.create(
                student=student, since=started, until=moment, whole_days=True, note=note, created_at=started
            )
            ExcusedClass.objects.create(
                excuse=excuse, class_ref=self.physics, state=ExcuseState.APPROVED, decided_by=self.xanthippe
            )
        notice = Notice.objects.create(kind=Kind.AWAY, class_ref=self.physics, student=zoltan, created_at=moment)
        for person in (zoltan, self.owner):
            Delivery.objects.create(notice=notice, person=person, next_at=moment, created_at=moment)

    def _logs(self) -> None:
        zoltan = self.zoltan
        Entry.objects.create(
            actor=zoltan.id,
            action=Action.SIGN_IN,
            outcome=Outcome.DONE,
            way="password",
            address="198.51.100.7",
            request_id="r-zoltan",
        )
        Entry.objects.create(
            actor=self.owner.id, action=Action.READ, outcome=Outcome.DONE, way="GET student", thing=zoltan.id
        )
        users = ContentType.objects.get_for_model(User)
        for key, shown in ((zoltan.id, str(zoltan)), (self.physics.id, f"{zoltan} in Physics")):
            LogEntry.objects.create(
                user=self.owner, content_type=users, object_id=key, object_repr=shown, action_flag=CHANGE
            )

    @property
    def actor(self) -> Actor:
        return Actor(id=self.owner.id, role=Role.TEACHER, name=self.owner.name, email=self.owner.email)


def everything() -> str:
    """All rows of all tables, as one text."""
    lines: list[str] = []
    for model in apps.get_models(include_auto_created=True):
        rows: Any = model._base_manager.values_list()
        lines += [f"{model._meta.label} {row}" for row in rows]
    return "\n".join(lines)


def records_of(student: User) -> list[str]:
    return list(Attendance.objects.filter(student=student).values_list("status", flat=True))
