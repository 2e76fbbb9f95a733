"""The hot routes do no more than they must: queries counted, rosters rendered once a version, 304 for who has it."""

from collections.abc import Callable
from typing import Any

import pytest

from accounts.models import User
from accounts.serializers import StudentOutput
from classes.models import Class, Enrolment, announce_roster
from core.ids import new_id
from tests.api.rest import UNAUTHORIZED, Rest, School, check_described, make_user, token_of
from tests.support.queries import around_queries


def enrol(school: School, count: int) -> None:
    """`count` more students on the school's roster."""
    users = []
    for _ in range(count):
        key = new_id()
        email = f"{key}@example.com"
        users.append(User(id=key, name=f"Student {key}", email=email, email_key=email, role="student", password="!"))
    User.objects.bulk_create(users)
    Enrolment.objects.bulk_create([Enrolment(class_ref=school.physics, student=user) for user in users])
    announce_roster(school.class_id)


def queries_of(ask: Callable[[], Any]) -> int:
    """How many queries `ask` makes, which must be answered 200."""
    texts: list[str] = []

    def count(execute: Callable[[], Any], text: str) -> Any:
        texts.append(text)
        return execute()

    with around_queries(count):
        assert ask().status == 200
    return len(texts)


class Reader:
    """Somebody who reads the class, as it is with an `If-None-Match`."""

    def __init__(self, rest: Rest, school: School, token: str | None = None) -> None:
        self.rest, self.path = rest, f"/class/{school.class_id}"
        self.token = token or token_of(school.owner)

    def __call__(self, known: str | None = None) -> Any:
        headers = {"Authorization": self.token} | ({"If-None-Match": known} if known is not None else {})
        response = self.rest.client.get(self.path, headers=headers)
        check_described(response)
        return response

    @property
    def tag(self) -> str:
        return str(self()["ETag"])


@pytest.fixture
def read(rest: Rest, school: School) -> Reader:
    """The class's teacher."""
    return Reader(rest, school)


# Queries


def test_me_is_one_query(rest: Rest, school: School) -> None:
    token = token_of(school.student)
    assert queries_of(lambda: rest.get("/auth/me", token=token)) == 1


@pytest.mark.parametrize("students", [1, 30, 300])
def test_a_class_is_two_queries_for_its_teacher_and_three_for_a_student_and_one_more_when_its_roster_is_new(
    rest: Rest, school: School, students: int
) -> None:
    enrol(school, students - 1)
    path, teacher, student = f"/class/{school.class_id}", token_of(school.owner), token_of(school.student)
    assert queries_of(lambda: rest.get(path, token=teacher)) == 3
    assert queries_of(lambda: rest.get(path, token=teacher)) == 2
    assert queries_of(lambda: rest.get(path, token=student)) == 3
    assert len(rest.get(path, token=student).data["students"]) == students


@pytest.mark.parametrize("students", [1, 300])
def test_my_attendance_is_four_queries(rest: Rest, school: School, students: int) -> None:
    enrol(school, students - 1)
    path, token = f"/class/{school.class_id}/my-attendance", token_of(school.student)
    assert queries_of(lambda: rest.get(path, token=token)) == 4
    school.finish_session()
    assert queries_of(lambda: rest.get(path, token=token)) == 4
    assert rest.get(path, token=token).data["status"] == "absent"


def test_a_start_of_what_is_live_is_four_queries_and_any_start_asks_the_same_for_every_roster(
    rest: Rest, school: School
) -> None:
    token = token_of(school.owner)

    def start() -> Any:
        return rest.post("/attendance/start", {"classId": school.class_id}, token=token)

    few = queries_of(start)
    assert queries_of(start) == 4
    school.finish_session()
    enrol(school, 300)
    assert queries_of(start) <= few


# ETag


def test_who_has_the_roster_already_is_answered_304_without_a_body(read: Reader) -> None:
    first = read()
    tag = first["ETag"]
    assert tag.startswith('"')
    assert first["Cache-Control"] == "private, no-cache"
    for known in (tag, f"W/{tag}", f'"other", {tag}', "*"):
        again = read(known)
        assert (again.status_code, again.content, again["ETag"]) == (304, b"", tag)
    for known in ('"other"', "", "nonsense", tag.strip('"')):
        again = read(known)
        assert (again.status_code, again.content) == (200, first.content)


def test_the_teacher_and_a_student_share_the_rendering(rest: Rest, school: School, read: Reader) -> None:
    student = Reader(rest, school, token_of(school.student))
    assert (student().content, student.tag) == (read().content, read.tag)


def test_whoever_may_not_read_the_class_hears_so_also_with_the_right_tag(
    rest: Rest, school: School, read: Reader
) -> None:
    tag = read.tag
    student = Reader(rest, school, token_of(school.student))
    assert student(tag).status_code == 304
    refused = {
        token_of(school.other_teacher): (403, "Forbidden, not class teacher"),
        token_of(school.other_student): (403, "Forbidden, not class teacher"),
        "nonsense": (401, UNAUTHORIZED),
    }
    for token, (status, error) in refused.items():
        answer = Reader(rest, school, token)(tag)
        assert (answer.status_code, answer.json()["error"]) == (status, error)
    Enrolment.objects.get().delete()
    assert student(tag).status_code == 403
    Class.objects.update(teacher=school.other_teacher)
    assert read(tag).status_code == 403


def test_the_next_request_of_who_was_disabled_or_changed_the_password_is_refused(
    rest: Rest, school: School, read: Reader
) -> None:
    tag = read.tag
    owner = User.objects.get(pk=school.owner.pk)
    owner.password = "changed"
    owner.save()
    assert read(tag).status_code == 401
    fresh = Reader(rest, school)
    assert fresh(tag).status_code == 304
    owner.is_active = False
    owner.save()
    assert fresh(tag).status_code == 401


def add(school: School) -> None:
    Enrolment.objects.create(class_ref=school.physics, student=school.other_student)


def remove(school: School) -> None:
    Enrolment.objects.get().delete()


def delete_student(school: School) -> None:
    User.objects.get(pk=school.student.pk).delete()


def rename_student(school: School) -> None:
    student = User.objects.get(pk=school.student.pk)
    student.name = "Renamed"
    student.save(update_fields=["name"])


def move_mailbox(school: School) -> None:
    student = User.objects.get(pk=school.student.pk)
    student.email = "moved@example.com"
    student.save()


def rename_class(school: School) -> None:
    Class.objects.update(name="Chemistry")


@pytest.mark.parametrize("change", [add, remove, delete_student, rename_student, move_mailbox, rename_class])
def test_a_change_of_what_is_shown_is_a_new_tag_and_is_shown_at_once(
    school: School, read: Reader, change: Callable[[School], None]
) -> None:
    before = read()
    change(school)
    after = read(before["ETag"])
    assert after.status_code == 200
    assert after["ETag"] != before["ETag"]
    assert after.json()["data"] == shown(school)


def test_a_student_renamed_and_named_back_leaves_the_first_tag_good(school: School, read: Reader) -> None:
    tag = read.tag
    rename_student(school)
    assert read(tag).status_code == 200
    User.objects.filter(pk=school.student.pk).update(name="Student")
    announce_roster(school.class_id)
    assert read(tag).status_code == 304


def test_what_is_not_shown_leaves_the_tag(school: School, read: Reader) -> None:
    tag = read.tag
    make_user("newcomer")
    student = User.objects.get(pk=school.student.pk)
    student.password = "changed"
    student.save()
    assert read(tag).status_code == 304


def test_names_go_out_as_they_are_and_line_separators_escaped(school: School, read: Reader) -> None:
    student = User.objects.get(pk=school.student.pk)
    student.name = 'Ä 学生 “q" \\ \u2028\u2029'
    student.save()
    assert read().json()["data"] == shown(school)
    assert 'Ä 学生 “q\\" \\\\ \\u2028\\u2029'.encode() in read().content


def shown(school: School) -> dict[str, Any]:
    """What the database says that the class's route must answer."""
    found = Class.objects.get(pk=school.class_id)
    students = [row.student for row in Enrolment.objects.filter(class_ref=found).select_related("student")]
    return {
        "_id": found.id,
        "className": found.name,
        "teacherId": found.teacher_id,
        "students": [{"_id": one.id, "name": one.name, "email": one.email} for one in students],
    }


def test_the_shapes_of_rosters_and_of_the_list_of_students_are_one(school: School, rest: Rest) -> None:
    (row,) = rest.get(f"/class/{school.class_id}", token=token_of(school.owner)).data["students"]
    assert row == StudentOutput.show(school.student)
