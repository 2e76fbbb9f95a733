"""The school of `python -m bench.year`: what its lessons leave is what real lessons leave, column by column."""

import secrets
from datetime import timedelta
from typing import Any

import pytest
from django.apps import apps
from django.db.models import Model
from pytest_django import Settings

from accounts.models import User
from accounts.selectors import actor_of
from attendance.actions import session_mark_rest
from attendance.check_in_rules import code_now
from attendance.enums import Method, Status
from attendance.journal import NewMark
from attendance.lessons import lesson_open
from attendance.live.commit import Unit, commit
from attendance.models import Attendance, CheckIn, CheckInDevice, Mark, Session
from audit.models import Entry
from audit.trail import trail
from bench.school import Plan, make_school
from classes.models import Class, Enrolment
from classes.selectors import student_ids
from classes.timetables import Planned
from core.times import now
from notices.models import Notice
from notices.watching import look_at_all
from tests.api.rest import School, make_user, token_of
from tests.support.database import empty_tables
from tests.support.http import Client
from tests.web.people import signed_in

pytestmark = pytest.mark.django_db(transaction=True)

#: A small school of a few days, in which each lesson has two who are away.
PLAN = Plan(students=24, teachers=2, classes=5, lasting=1, roster=20, days=5)

#: What lessons leave.
LEFT = (Session, Mark, Attendance, CheckIn, CheckInDevice, Notice, Entry)
#: What a server deletes again, and the one row that each lesson changes.
PASSING = {
    "sessions.Session",
    "accounts.Attempts",
    "attendance.Focus",
    "attendance.UsedClaim",
    "notices.Delivery",
    "notices.Due",
    "v2.KeptAnswer",
}
#: Columns whose length is the client's, or that a request has in a server alone.
FREE = {"address", "device", "request_id"}


@pytest.fixture
def school() -> School:
    """A class of five."""
    made = School()
    for number in range(4):
        Enrolment.objects.create(class_ref=made.physics, student=make_user(f"student{number}"))
    return made


def test_a_generated_lesson_leaves_what_real_ones_leave(school: School, settings: Settings) -> None:
    settings.NOTICE_TO, settings.NOTICE_ABSENCES = ["guardians"], 1
    trail.flush()
    Entry.objects.all().delete()
    before = counts()
    for lesson in (tap, let_check_in):
        lesson(school)
        look_at_all(now() + timedelta(days=1))
    trail.flush()
    changed = {name for name, number in counts().items() if number != before[name]}
    real = {model: shapes(model) for model in LEFT}

    empty_tables()
    made_school = make_school(PLAN)
    made = {model: shapes(model) for model in LEFT}

    made[Entry] = {shape for shape in made[Entry] if ("way", "password") not in shape}  # the people's sign-ins
    for model in LEFT:
        assert [made[model] - real[model], real[model] - made[model]] == [set(), set()], model.__name__
    assert changed - PASSING == {model._meta.label for model in LEFT}
    assert (made_school.lessons, made_school.marks) == (10, 200)
    assert (Session.objects.count(), Mark.objects.count(), Attendance.objects.count()) == (10, 200, 200)


def tap(school: School) -> None:
    """A lesson that the teacher starts, marks by hand and ends, in the pages."""
    owner = signed_in(school.owner)
    owner.post(f"/app/classes/{school.class_id}/start")
    session = Session.objects.get(state="open")
    owner.get(f"/app/sessions/{session.id}/")
    owner.post("/app/token")
    for student_id in student_ids(school.class_id)[:3]:
        mark = NewMark(
            session.id, student_id, Status.PRESENT, now(), school.owner.id, Method.TEACHER, key=secrets.token_hex(12)
        )
        commit([Unit([mark])])
    finish(owner, school, session.id)


def let_check_in(school: School) -> None:
    """A lesson that opens by itself, and to which students check in."""
    Class.objects.update(opens_by_itself=True)
    start = now().replace(second=0, microsecond=0)
    planned = Planned(school.class_id, start, start + timedelta(minutes=50), "Room 1")
    Session.objects.update(planned_for=None, started_at=start - timedelta(hours=2))  # the lesson before
    assert lesson_open(planned, moment=now())
    session = Session.objects.get(state="open")
    owner = signed_in(school.owner)
    owner.get(f"/app/sessions/{session.id}/")
    owner.post("/app/token")
    path, token = f"/api/v2/sessions/{session.id}/check-in", token_of(school.owner)
    owner.put(path, {"mode": "rotating"}, "application/json", headers={"Authorization": f"Bearer {token}"})
    for user in User.objects.filter(pk__in=student_ids(school.class_id)[2:]):
        student = signed_in(user)
        student.post("/app/token")
        code = code_now(session, site="http://testserver/").code
        answer = student.post(
            "/api/v2/check-in",
            {"code": code, "session": session.id},
            "application/json",
            headers={"Authorization": f"Bearer {token_of(user)}"},
        )
        assert answer.status_code == 200, answer.content
    finish(owner, school, session.id)


def finish(owner: Client, school: School, session_id: str) -> None:
    session_mark_rest(actor=actor_of(school.owner), session_id=session_id, status=Status.ABSENT)
    owner.post(f"/app/sessions/{session_id}/end")


def counts() -> dict[str, int]:
    return {model._meta.label: model._base_manager.count() for model in apps.get_models()}


def shapes(model: type[Model]) -> set[tuple[tuple[str, str], ...]]:
    """What the rows of a table look like: for each column what kind of value it has."""
    fields = model._meta.concrete_fields
    return {
        tuple((field.name, kind(field, getattr(row, field.attname))) for field in fields)
        for row in model._default_manager.all()
    }


def kind(field: Any, value: Any) -> str:
    if field.name in FREE:
        return "text"
    if value is None or value == "" or isinstance(value, bool):
        return repr(value)
    if field.name in ("action", "outcome", "way", "kind") and field.model is Entry:
        return str(value)
    if field.choices:
        return "word"
    if isinstance(value, str):
        return f"{len(value)} characters"
    if isinstance(value, int):
        return "number" if value else "0"
    return type(value).__name__
