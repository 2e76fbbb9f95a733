"""The hot queries use indexes on every database (none of their plans reads a whole table), and are not repeated."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.sessions.models import Session as SignIn
from django.db import connection
from django.db.models import QuerySet

from accounts.models import OneTimeCode, StudentProfile, User
from attendance import services
from attendance.enums import ExcuseState, SessionState
from attendance.live.look import look
from attendance.live.view import Known
from attendance.models import Attendance, ExcusedClass, Mark, Session, SessionName
from attendance.selectors import finished_sessions_of_school
from audit.models import Entry
from classes.models import Class, Enrolment
from core.ids import new_id
from core.times import now
from tests.services.conftest import make_room
from tests.support.queries import around_queries

#: Each query, and the fields with which the index begins that it is to use.
HOT_QUERIES: dict[str, tuple[Any, list[str]]] = {
    "the journal's fold": (lambda: Mark.objects.filter(session_id=new_id()).order_by("seq"), ["session"]),
    "SYNC since n": (lambda: Mark.objects.filter(session_id=new_id(), seq__gt=7).order_by("seq"), ["session", "seq"]),
    "a mark looked up by its id": (lambda: Mark.objects.filter(pk=new_id()), ["id"]),
    "the enrolment check": (
        lambda: Enrolment.objects.filter(class_ref_id=new_id(), student_id=new_id()),
        ["class_ref", "student"],
    ),
    "the roster": (lambda: Enrolment.objects.filter(class_ref_id=new_id()), ["class_ref"]),
    "a teacher's class by its name": (
        lambda: Class.objects.filter(teacher_id=new_id(), name="Physics").order_by("-created_at", "-id"),
        ["teacher"],
    ),
    "a student's status so far": (
        lambda: Mark.objects.filter(session_id=new_id(), student_id=new_id()).order_by("-seq"),
        ["session"],
    ),
    "a token's user": (lambda: User.objects.filter(pk=new_id()), ["id"]),
    "login by e-mail": (lambda: User.objects.filter(email_key__in=["asha@example.com"]), ["email_key"]),
    "login by roll number": (lambda: User.objects.filter(roll_number_key__in=["CS-7", "cs-7"]), ["roll_number_key"]),
    "a person's code": (lambda: OneTimeCode.objects.filter(user_id=new_id(), purpose="register"), ["user", "purpose"]),
    "a person's profile": (lambda: StudentProfile.objects.filter(user_id=new_id()), ["user"]),
    "the class's last finished session": (
        lambda: Session.objects.filter(class_ref_id=new_id(), state=SessionState.ENDED).order_by("-ended_at"),
        ["class_ref", "state", "ended_at"],
    ),
    "a session's name": (lambda: SessionName.objects.filter(name="Lecture"), ["name"]),
    "the school's lessons of a year": (
        lambda: finished_sessions_of_school(since=now() - timedelta(days=365)),
        ["state", "ended_at"],
    ),
    "the records of some lessons": (
        lambda: Attendance.objects.filter(session_id__in=[new_id(), new_id()]),
        ["session", "student"],
    ),
    "excuses that wait for a word": (lambda: ExcusedClass.objects.filter(state=ExcuseState.ASKED), ["state"]),
    "the audit log about somebody": (lambda: Entry.objects.filter(thing=new_id()), ["thing"]),
    "what somebody did": (lambda: Entry.objects.filter(actor=new_id()), ["actor"]),
    "sign-ins that are over": (lambda: SignIn.objects.filter(expire_date__lt=now()), ["expire_date"]),
    "a student's record": (
        lambda: Attendance.objects.filter(session_id=new_id(), student_id=new_id()),
        ["session", "student"],
    ),
}


@pytest.mark.django_db
@pytest.mark.parametrize("name", HOT_QUERIES)
def test_a_hot_query_uses_an_index(name: str) -> None:
    query, fields = HOT_QUERIES[name]
    assert has_index(query().model, fields)
    assert reads_by_index(query()), plan(query())


@pytest.mark.django_db(transaction=True)
def test_the_end_of_a_session_asks_as_often_for_a_large_roster_as_for_a_small_one() -> None:
    counts: list[int] = []
    finished: dict[str, int] = {}
    for students in (3, 150):  # as many records as any database takes in one statement
        room = make_room(students)
        session = room.start()
        asked: list[str] = []

        def count(ask: Callable[[], Any], text: str, asked: list[str] = asked) -> Any:
            asked.append(text)
            return ask()

        with around_queries(count):
            services.session_end(session_id=session.id)
            look({session.id: Known(seq=0, roster_version=0)}, finished)
        assert Attendance.objects.filter(session=session).count() == students
        counts.append(len(asked))
        finished |= {session.id: 1}
    assert counts[0] == counts[1] > 0


@pytest.mark.django_db
def test_a_query_without_an_index_is_seen() -> None:
    assert not reads_by_index(User.objects.filter(name="Asha"))


def has_index(model: Any, fields: list[str]) -> bool:
    """Whether the database itself has an index on the model's table that begins with these fields."""
    columns = [model._meta.get_field(field).column for field in fields]
    if connection.vendor == "mongodb":
        indexes = connection.get_collection(model._meta.db_table).index_information().values()  # type: ignore[attr-defined]
        found = [[column for column, _ in index["key"]] for index in indexes]
    else:
        with connection.cursor() as cursor:
            constraints = connection.introspection.get_constraints(cursor, model._meta.db_table).values()
        found = [made["columns"] for made in constraints if made["index"] or made["unique"] or made["primary_key"]]
    return any(index[: len(columns)] == columns for index in found)


def reads_by_index(query: QuerySet[Any]) -> bool:
    """Whether the plan looks its rows up in an index instead of reading all there are."""
    found = plan(query)
    if connection.vendor == "postgresql":
        return "Index Cond" in found  # an index may also be read whole, for its order
    return {"sqlite": "SCAN", "mongodb": "COLLSCAN"}[connection.vendor] not in found


def plan(query: QuerySet[Any]) -> str:
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL enable_seqscan = off")  # a table this small is read whole, index or not
            # If autovacuum has found it empty, any index will do; of one that was just emptied nothing is known.
            cursor.execute(f"TRUNCATE {connection.ops.quote_name(query.model._meta.db_table)} CASCADE")
    found = query.explain()
    return json.dumps(found, default=str) if not isinstance(found, str) else found
