"""HIDE_EMAILS: to students the addresses of others are empty, in every protocol. Whom a teacher may list."""

from typing import Any

import pytest

from accounts.models import Origin, User
from classes.models import Class, CoTeacher, Enrolment
from core.identity import Role
from tests.api.rest import Rest, School, is_served, token_of

pytestmark = pytest.mark.django_db

#: A name that could be taken for the fields behind it.
TRICKY = 'Eve","email":""'


@pytest.fixture
def classmate(school: School) -> User:
    """Another student of the school's class."""
    person = User(name=TRICKY, email="classmate@example.com", role=Role.STUDENT, password="!", roll_number="7")
    person.save()
    Enrolment.objects.create(class_ref_id=school.class_id, student=person)
    return person


@pytest.fixture
def hiding(settings: Any) -> None:
    settings.HIDE_EMAILS = True


def roster(rest: Rest, school: School, reader: User) -> dict[str, str]:
    """E-mail by name, as the class's route shows them to the reader."""
    students = rest.get(f"/class/{school.class_id}", token=token_of(reader)).data["students"]
    return {student["name"]: student["email"] for student in students}


def everybody(school: School, classmate: User) -> dict[str, str]:
    return {school.student.name: school.student.email, classmate.name: classmate.email}


def test_by_default_a_class_shows_everybodys_addresses(rest: Rest, school: School, classmate: User) -> None:
    for reader in (school.owner, school.student):
        assert roster(rest, school, reader) == everybody(school, classmate)


def test_students_see_their_own_address_alone(rest: Rest, school: School, classmate: User, hiding: None) -> None:
    for reader in (school.student, classmate):
        shown = {**dict.fromkeys(everybody(school, classmate), ""), reader.name: reader.email}
        assert roster(rest, school, reader) == shown
    assert roster(rest, school, school.owner) == everybody(school, classmate)


def test_the_tag_is_the_readers_own(rest: Rest, school: School, classmate: User, hiding: None) -> None:
    path = f"/class/{school.class_id}"
    tags = {
        person.id: rest.get(path, token=token_of(person)).response["ETag"]
        for person in (school.owner, school.student, classmate)
    }
    assert len(set(tags.values())) == 3
    again = {"Authorization": token_of(classmate), "If-None-Match": tags[classmate.id]}
    assert rest.client.get(path, headers=again).status_code == 304


@pytest.mark.skipif(not is_served("/api/v1/class/x"), reason="this dialect was deleted")
def test_v1_shows_students_their_own_address_alone(rest: Rest, school: School, classmate: User, hiding: None) -> None:
    for reader, own in ((school.student, school.student.email), (school.owner, None)):
        headers = {"Authorization": f"Bearer {token_of(reader)}"}
        (found,) = rest.client.get(f"/api/v1/class/{school.class_id}", headers=headers).json()["data"]
        shown = {person["name"]: person["email"] for person in found["studentsIds"]}
        assert shown[TRICKY.lower()] == ("" if own else classmate.email)
        assert shown[school.student.name.lower()] == school.student.email


@pytest.mark.skipif(not is_served("/api/class/getList/x"), reason="this dialect was deleted")
@pytest.mark.parametrize("is_open", [False, True])
def test_attentracks_open_routes_show_nobodys_address(
    rest: Rest, school: School, classmate: User, hiding: None, settings: Any, is_open: bool
) -> None:
    settings.ATTENTRACK_OPEN = is_open
    headers = {"Authorization": f"Bearer {token_of(school.owner)}"}
    found = rest.client.get(f"/api/class/getList/{school.class_id}", headers=headers).json()
    assert {student["name"]: student["email"] for student in found["students"]} == (
        dict.fromkeys(everybody(school, classmate), "") if is_open else everybody(school, classmate)
    )


def listed(rest: Rest, teacher: User) -> set[str]:
    return {student["_id"] for student in rest.get("/students", token=token_of(teacher)).data}


@pytest.mark.parametrize("policy", ["students", "domains", "invited", "closed"])
def test_with_any_policy_but_open_a_teacher_lists_the_students_of_the_own_classes(
    rest: Rest, school: School, classmate: User, settings: Any, policy: str
) -> None:
    User.objects.update(origin=Origin.SCHOOL)
    own, others = {school.student.id, classmate.id}, {school.other_student.id}
    assert listed(rest, school.owner) == listed(rest, school.other_teacher) == own | others
    settings.SIGNUP = policy
    assert listed(rest, school.owner) == own
    assert listed(rest, school.other_teacher) == set()
    CoTeacher.objects.create(class_ref_id=school.class_id, teacher=school.other_teacher)
    assert listed(rest, school.other_teacher) == own
    second = Class.objects.create(name="Art", teacher=school.other_teacher)
    for student in (school.other_student, school.student):
        Enrolment.objects.create(class_ref=second, student=student)
    found = rest.get("/students", token=token_of(school.other_teacher)).data
    assert sorted(student["_id"] for student in found) == sorted(own | others), "each student once"
    if is_served("/api/v1/class/students"):
        headers = {"Authorization": f"Bearer {token_of(school.owner)}"}
        theirs = rest.client.get("/api/v1/class/students", headers=headers).json()["data"]
        assert {student["_id"] for student in theirs} == own
