"""Lists of students that are too long for one piece: whole, in order, and the same in every dialect."""

import json
from typing import Any

import pytest

from accounts.models import User
from classes.models import Enrolment, announce_roster
from core.ids import new_id
from core.times import now
from tests.api.rest import School, is_served, token_of
from tests.support.http import Client

pytestmark = pytest.mark.django_db

#: More than two pages of students.
COUNT = 1203


@pytest.fixture
def school(school: School) -> School:
    """One with a large class. Half of it enrolled at the same moment, as an import enrols."""
    users, moment = [], now()
    for number in range(COUNT):
        key = new_id()
        email = f"{key}@example.com"
        users.append(
            User(
                id=key,
                name=f"Student {number}",
                email=email,
                email_key=email,
                role="student",
                roll_number=f"L{number}",
                password="!",
            )
        )
    User.objects.bulk_create(users)
    rows = [Enrolment(class_ref=school.physics, student=user) for user in users]
    Enrolment.objects.bulk_create(rows)
    Enrolment.objects.filter(pk__in=[row.pk for row in rows[: COUNT // 2]]).update(created_at=moment)
    announce_roster(school.class_id)
    return school


def ask(path: str, user: User) -> Any:
    answer = Client().get(path, HTTP_AUTHORIZATION=f"Bearer {token_of(user)}")
    assert answer.status_code == 200
    assert answer["Content-Type"] == "application/json; charset=utf-8"
    return json.loads(answer.getvalue())


def in_order(school: School) -> list[User]:
    rows = Enrolment.objects.filter(class_ref=school.physics).select_related("student").order_by("created_at", "id")
    return [row.student for row in rows]


def test_every_student_is_listed_once_the_oldest_account_first(school: School) -> None:
    students = list(User.objects.filter(role="student").order_by("id"))
    assert len(students) > COUNT
    assert ask("/students", school.owner) == {
        "success": True,
        "data": [{"_id": user.id, "name": user.name, "email": user.email} for user in students],
    }
    if is_served("/api/v1/class/students"):
        listed = ask("/api/v1/class/students", school.owner)["data"]
        assert [(row["_id"], row["name"]) for row in listed] == [(user.id, user.name.lower()) for user in students]


def test_a_class_has_its_whole_roster_in_the_order_of_enrolment(school: School) -> None:
    students = in_order(school)
    data = ask(f"/class/{school.class_id}", school.owner)["data"]
    assert [row["_id"] for row in data["students"]] == [user.id for user in students]
    assert list(data) == ["_id", "className", "teacherId", "students"]
    path = f"/api/v1/class/{school.class_id}"
    if is_served(path):
        (shown,) = ask(path, school.owner)["data"]
        assert [row["email"] for row in shown["studentsIds"]] == [user.email for user in students]
        assert shown["className"] == school.physics.name
    path = f"/api/class/getList/{school.class_id}"
    if is_served(path):
        shown = ask(path, school.owner)
        assert [row["email"] for row in shown["students"]] == [user.email for user in students]
        assert {row["rollNumber"] for row in shown["students"]} >= {f"L{number}" for number in range(COUNT)}
        assert shown["classname"] == school.physics.name
