"""The hot queries use indexes on every database: none of their plans reads a whole table."""

import json
from typing import Any

import pytest
from django.db import connection
from django.db.models import QuerySet

from accounts.models import User
from attendance.models import Attendance, Mark, Session, SessionState
from classes.models import Enrolment
from core.ids import new_id

HOT_QUERIES: dict[str, Any] = {
    "the journal's fold": lambda: Mark.objects.filter(session_id=new_id()).order_by("seq"),
    "SYNC since n": lambda: Mark.objects.filter(session_id=new_id(), seq__gt=7, seq__lte=9).order_by("seq"),
    "a mark looked up by its id": lambda: Mark.objects.filter(pk=new_id()),
    "the enrolment check": lambda: Enrolment.objects.filter(class_ref_id=new_id(), student_id=new_id()),
    "the roster": lambda: Enrolment.objects.filter(class_ref_id=new_id()),
    "a token's user": lambda: User.objects.filter(pk=new_id()),
    "login by e-mail": lambda: User.objects.filter(email_key="asha@example.com"),
    "the class's open session": lambda: Session.objects.filter(class_ref_id=new_id(), state=SessionState.OPEN),
    "the class's last finished session": lambda: Session.objects.filter(
        class_ref_id=new_id(), state=SessionState.ENDED
    ).order_by("-ended_at"),
    "a student's record": lambda: Attendance.objects.filter(session_id=new_id(), student_id=new_id()),
    "the open sessions": lambda: Session.objects.filter(state=SessionState.OPEN),
}


@pytest.mark.django_db
@pytest.mark.parametrize("name", HOT_QUERIES)
def test_a_hot_query_uses_an_index(name: str) -> None:
    assert reads_by_index(HOT_QUERIES[name]()), plan(HOT_QUERIES[name]())


@pytest.mark.django_db
def test_a_query_without_an_index_is_seen() -> None:
    assert not reads_by_index(User.objects.filter(name="Asha"))


def reads_by_index(query: QuerySet[Any]) -> bool:
    """Whether the plan has no scan of a whole table."""
    scan = {"sqlite": "SCAN", "postgresql": "Seq Scan", "mongodb": "COLLSCAN"}[connection.vendor]
    return scan not in plan(query)


def plan(query: QuerySet[Any]) -> str:
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL enable_seqscan = off")  # a table this small is read whole, index or not
    found = query.explain()
    return json.dumps(found, default=str) if not isinstance(found, str) else found
