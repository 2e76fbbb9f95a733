"""Every row of the canonical contract's routes: the exact answers, their types and their errors."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import User
from attendance import services
from attendance.enums import Method, Status
from attendance.models import Attendance, Session
from classes.models import Class, Enrolment
from core.identity import Actor, Role
from tests.api.rest import INVALID, UNKNOWN_ID, Rest, School, make_user, success, token_of

ID = re.compile(r"[0-9a-f]{24}")
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
ASHA = {"name": "Asha", "email": "Asha@Example.com", "password": "secret1", "role": "teacher"}


def actor(user: User) -> Actor:
    return Actor(user.id, Role(user.role), user.name, user.email)


def finish(school: School, status: Status | None, *, ended: int = 0, student: User | None = None) -> Session:
    """A finished session that ended `ended` minutes ago; `status` None leaves no record of the student."""
    session = services.session_start(actor=actor(school.owner), class_id=school.class_id)
    services.session_end(session_id=session.id)
    Session.objects.filter(pk=session.id).update(ended_at=timezone.now() - timedelta(minutes=ended))
    Attendance.objects.filter(session=session).delete()
    if status is not None:
        Attendance.objects.create(
            class_ref=school.physics,
            session=session,
            student=student or school.student,
            status=status,
            method=Method.TEACHER,
        )
    return session


# POST /auth/signup


def test_signup_makes_an_account_and_shows_it_without_its_password(rest: Rest) -> None:
    answer = rest.post("/auth/signup", ASHA)
    user = User.objects.get()
    assert answer.status == 201
    assert answer.body == success({"_id": user.id, "name": "Asha", "email": "Asha@Example.com", "role": "teacher"})
    assert ID.fullmatch(answer.data["_id"])
    assert (user.is_active, user.is_staff, user.is_superuser) == (True, False, False)
    assert "secret1" not in user.password


@pytest.mark.parametrize(
    ("given", "shown"),
    [("TEACHER", "teacher"), ("Teacher", "teacher"), ("STUDENT", "student"), ("sTuDeNt", "student")],
)
def test_a_role_may_be_in_any_letter_case_and_is_answered_in_lower_case(rest: Rest, given: str, shown: str) -> None:
    answer = rest.post("/auth/signup", {**ASHA, "role": given})
    assert (answer.status, answer.data["role"]) == (201, shown)
    assert User.objects.get().role == shown


@pytest.mark.parametrize("email", ["Asha@Example.com", "asha@example.com", "ASHA@EXAMPLE.COM"])
def test_a_taken_email_is_refused_in_any_letter_case(rest: Rest, email: str) -> None:
    make_user("Asha")
    rest.post("/auth/signup", {**ASHA, "email": email}).is_failure(400, "Email already exists")
    assert User.objects.count() == 1


def test_signup_tells_a_bad_body_before_a_taken_email(rest: Rest) -> None:
    make_user("Asha")
    rest.post("/auth/signup", {**ASHA, "password": "short"}).is_failure(400, INVALID)


def test_signup_trims_nothing_and_takes_the_shortest_name_and_password(rest: Rest) -> None:
    answer = rest.post("/auth/signup", {**ASHA, "name": " ", "password": "      "})
    assert (answer.status, answer.data["name"]) == (201, " ")
    login = rest.post("/auth/login", {"email": ASHA["email"], "password": "      "})
    assert login.status == 200
    rest.post("/auth/login", {"email": ASHA["email"], "password": "     "}).is_failure(400, "Invalid email or password")


def test_names_in_every_script_come_back_as_they_were_sent(rest: Rest) -> None:
    name = "आशा 李 😀 \u2028 <b>&amp;\"'\\"
    assert rest.post("/auth/signup", {**ASHA, "name": name}).data["name"] == name


def test_extra_fields_of_a_signup_give_nobody_any_rights(rest: Rest) -> None:
    extra = {"_id": UNKNOWN_ID, "id": UNKNOWN_ID, "is_superuser": True, "is_staff": True, "token_version": 9}
    answer = rest.post("/auth/signup", {**ASHA, **extra})
    user = User.objects.get()
    assert answer.status == 201
    assert (user.is_superuser, user.is_staff, user.token_version) == (False, False, 0)
    assert user.id == answer.data["_id"] != UNKNOWN_ID


def test_a_worn_out_token_keeps_nobody_from_signing_up(rest: Rest) -> None:
    assert rest.post("/auth/signup", ASHA, token="Bearer worn.out.token").status == 201


# POST /auth/login


def test_login_gives_a_token_and_nothing_else(rest: Rest) -> None:
    rest.post("/auth/signup", ASHA)
    answer = rest.post("/auth/login", {"email": ASHA["email"], "password": ASHA["password"]})
    assert (answer.status, list(answer.data)) == (200, ["token"])
    assert rest.get("/auth/me", token=answer.data["token"]).data["email"] == ASHA["email"]


@pytest.mark.parametrize("email", ["asha@example.com", "ASHA@EXAMPLE.COM", "aSHA@eXAMPLE.COM"])
def test_login_takes_the_email_in_any_letter_case_and_shows_it_as_signed_up(rest: Rest, email: str) -> None:
    rest.post("/auth/signup", ASHA)
    token = rest.post("/auth/login", {"email": email, "password": ASHA["password"]}).data["token"]
    assert rest.get("/auth/me", token=token).data["email"] == "Asha@Example.com"


@pytest.mark.parametrize("password", ["secret2", "SECRET1", " secret1", "secret1 ", "secret", "x", ""])
def test_a_wrong_password_is_refused(rest: Rest, password: str) -> None:
    rest.post("/auth/signup", ASHA)
    answer = rest.post("/auth/login", {"email": ASHA["email"], "password": password})
    answer.is_failure(400, "Invalid email or password")


def test_an_unknown_email_is_refused_in_the_same_words(rest: Rest) -> None:
    answer = rest.post("/auth/login", {"email": "nobody@example.com", "password": "secret1"})
    answer.is_failure(400, "Invalid email or password")


def test_a_disabled_account_is_refused_in_the_same_words(rest: Rest) -> None:
    rest.post("/auth/signup", ASHA)
    User.objects.update(is_active=False)
    answer = rest.post("/auth/login", {"email": ASHA["email"], "password": ASHA["password"]})
    answer.is_failure(400, "Invalid email or password")


# GET /auth/me


@pytest.mark.parametrize("role", ["teacher", "student"])
def test_me_is_who_the_token_stands_for(rest: Rest, role: str) -> None:
    user = make_user("Ravi", role)
    answer = rest.get("/auth/me", token=token_of(user))
    assert (answer.status, answer.body) == (
        200,
        success({"_id": user.id, "name": "Ravi", "email": "Ravi@example.com", "role": role}),
    )


# POST /class


def test_a_class_is_made_for_the_teacher_who_asks(rest: Rest, school: School) -> None:
    answer = rest.post("/class", {"className": "Chemistry"}, token=token_of(school.owner))
    made = Class.objects.get(name="Chemistry")
    assert answer.status == 201
    assert answer.body == success(
        {"_id": made.id, "className": "Chemistry", "teacherId": school.owner.id, "studentIds": []}
    )
    assert made.teacher_id == school.owner.id


@pytest.mark.parametrize("name", ["  Chemistry", "Chemistry\n", "\t Chemistry \u00a0"])
def test_a_class_name_is_trimmed(rest: Rest, school: School, name: str) -> None:
    answer = rest.post("/class", {"className": name}, token=token_of(school.owner))
    assert (answer.status, answer.data["className"]) == (201, "Chemistry")


def test_the_same_class_name_twice_is_two_classes(rest: Rest, school: School) -> None:
    made = [rest.post("/class", {"className": "Physics"}, token=token_of(school.owner)).data for _ in range(2)]
    assert made[0]["_id"] != made[1]["_id"]
    assert Class.objects.filter(name="Physics").count() == 3


def test_a_class_belongs_to_who_asks_whatever_the_body_says(rest: Rest, school: School) -> None:
    body = {"className": "Art", "teacherId": school.other_teacher.id, "studentIds": [school.student.id], "_id": "x"}
    answer = rest.post("/class", body, token=token_of(school.owner))
    assert (answer.data["teacherId"], answer.data["studentIds"]) == (school.owner.id, [])


# POST /class/:id/add-student


def test_an_added_student_is_on_the_roster_after_those_before(rest: Rest, school: School) -> None:
    path = f"/class/{school.class_id}/add-student"
    answer = rest.post(path, {"studentId": school.other_student.id}, token=token_of(school.owner))
    assert answer.status == 200
    assert answer.body == success(
        {
            "_id": school.class_id,
            "className": "Physics",
            "teacherId": school.owner.id,
            "studentIds": [school.student.id, school.other_student.id],
        }
    )


def test_adding_a_student_twice_changes_nothing(rest: Rest, school: School) -> None:
    path, body = f"/class/{school.class_id}/add-student", {"studentId": school.student.id}
    answers = [rest.post(path, body, token=token_of(school.owner)) for _ in range(2)]
    assert [answer.status for answer in answers] == [200, 200]
    assert [answer.data["studentIds"] for answer in answers] == [[school.student.id]] * 2
    assert Enrolment.objects.count() == 1


def test_a_teacher_is_no_student_to_add(rest: Rest, school: School) -> None:
    path = f"/class/{school.class_id}/add-student"
    for teacher in (school.owner, school.other_teacher):
        rest.post(path, {"studentId": teacher.id}, token=token_of(school.owner)).is_failure(404, "Student not found")
    rest.post(path, {"studentId": school.class_id}, token=token_of(school.owner)).is_failure(404, "Student not found")
    assert Enrolment.objects.count() == 1


# GET /class/:id


@pytest.mark.parametrize("who", ["owner", "student"])
def test_a_class_is_shown_with_its_students_to_its_teacher_and_to_them(rest: Rest, school: School, who: str) -> None:
    answer = rest.get(f"/class/{school.class_id}", token=token_of(getattr(school, who)))
    assert answer.status == 200
    assert answer.body == success(
        {
            "_id": school.class_id,
            "className": "Physics",
            "teacherId": school.owner.id,
            "students": [{"_id": school.student.id, "name": "Student", "email": "Student@example.com"}],
        }
    )


def test_a_class_without_students_has_an_empty_list(rest: Rest, school: School) -> None:
    Enrolment.objects.all().delete()
    assert rest.get(f"/class/{school.class_id}", token=token_of(school.owner)).data["students"] == []


# GET /students


def test_students_are_all_users_with_that_role_and_nobody_else(rest: Rest, school: School) -> None:
    answer = rest.get("/students", token=token_of(school.other_teacher))
    assert answer.status == 200
    expected = [
        {"_id": user.id, "name": user.name, "email": user.email} for user in (school.student, school.other_student)
    ]
    assert answer.body == success(expected)


def test_without_any_student_the_list_is_empty(rest: Rest) -> None:
    teacher = make_user("Alone", "teacher")
    assert rest.get("/students", token=token_of(teacher)).body == success([])


# GET …/my-attendance


@pytest.mark.parametrize("template", ["/class/{}/my-attendance", "/attendance/{}/my-attendance"])
class TestMyAttendance:
    """Both paths of the route."""

    def ask(self, rest: Rest, school: School, template: str) -> Any:
        answer = rest.get(template.format(school.class_id), token=token_of(school.student))
        assert answer.status == 200
        assert list(answer.data) == ["classId", "status"]
        assert answer.data["classId"] == school.class_id
        return answer.data["status"]

    def test_before_any_session_is_finished_the_status_is_null(self, rest: Rest, school: School, template: str) -> None:
        assert self.ask(rest, school, template) is None
        services.session_start(actor=actor(school.owner), class_id=school.class_id)
        assert self.ask(rest, school, template) is None

    @pytest.mark.parametrize(
        ("status", "shown"),
        [
            (Status.PRESENT, "present"),
            (Status.ABSENT, "absent"),
            (Status.LATE, "present"),
            (Status.EXCUSED, "absent"),
        ],
    )
    def test_the_status_is_one_of_two_words(
        self, rest: Rest, school: School, template: str, status: Status, shown: str
    ) -> None:
        finish(school, status)
        assert self.ask(rest, school, template) == shown

    def test_the_session_that_ended_last_counts(self, rest: Rest, school: School, template: str) -> None:
        finish(school, Status.PRESENT, ended=1)
        finish(school, Status.ABSENT, ended=9)
        assert self.ask(rest, school, template) == "present"

    def test_the_last_session_counts_though_it_says_nothing_of_the_student(
        self, rest: Rest, school: School, template: str
    ) -> None:
        finish(school, Status.PRESENT, ended=9)
        finish(school, None, ended=1)
        assert self.ask(rest, school, template) is None

    def test_an_open_session_and_a_voided_one_count_nowhere(self, rest: Rest, school: School, template: str) -> None:
        finish(school, Status.PRESENT, ended=9)
        voided = services.session_start(actor=actor(school.owner), class_id=school.class_id)
        long_ago = timezone.now() - timedelta(days=2)
        Session.objects.filter(pk=voided.id).update(started_at=long_ago, last_activity_at=long_ago)
        services.session_end_forgotten(session_id=voided.id)
        services.session_start(actor=actor(school.owner), class_id=school.class_id)
        assert list(Session.objects.order_by("state").values_list("state", flat=True)) == ["ended", "open", "voided"]
        assert self.ask(rest, school, template) == "present"

    def test_another_class_and_another_student_count_nowhere(self, rest: Rest, school: School, template: str) -> None:
        finish(school, Status.PRESENT, student=school.other_student)
        assert self.ask(rest, school, template) is None

    def test_the_id_may_be_in_upper_case_and_is_answered_in_lower_case(
        self, rest: Rest, school: School, template: str
    ) -> None:
        answer = rest.get(template.format(school.class_id.upper()), token=token_of(school.student))
        assert answer.body == success({"classId": school.class_id, "status": None})


# POST /attendance/start


def test_a_start_answers_the_class_and_its_time(rest: Rest, school: School) -> None:
    before = timezone.now()
    answer = rest.post("/attendance/start", {"classId": school.class_id}, token=token_of(school.owner))
    after = timezone.now()
    assert (answer.status, list(answer.data)) == (200, ["classId", "startedAt"])
    assert answer.data["classId"] == school.class_id
    started_at = answer.data["startedAt"]
    assert TIME.fullmatch(started_at)
    to_text = "%Y-%m-%dT%H:%M:%S.%f"
    assert before.strftime(to_text)[:-3] <= started_at[:-1] <= after.strftime(to_text)[:-3]


def test_a_second_start_resumes_the_session_unchanged(rest: Rest, school: School) -> None:
    body, token = {"classId": school.class_id}, token_of(school.owner)
    answers = [rest.post("/attendance/start", body, token=token).body for _ in range(3)]
    assert answers[0] == answers[1] == answers[2]
    assert Session.objects.count() == 1


def test_a_class_set_aside_is_resumed_with_its_own_time(rest: Rest, school: School) -> None:
    token = token_of(school.owner)
    other = rest.post("/class", {"className": "Other"}, token=token).data["_id"]
    first = rest.post("/attendance/start", {"classId": school.class_id}, token=token).body
    aside = rest.post("/attendance/start", {"classId": other}, token=token).data
    assert aside["classId"] == other
    assert rest.post("/attendance/start", {"classId": school.class_id}, token=token).body == first
    assert Session.objects.filter(state="open").count() == 2


def test_a_start_after_the_end_is_another_session(rest: Rest, school: School) -> None:
    body, token = {"classId": school.class_id}, token_of(school.owner)
    rest.post("/attendance/start", body, token=token)
    services.session_end(session_id=Session.objects.get().id)
    assert rest.post("/attendance/start", body, token=token).status == 200
    assert sorted(Session.objects.values_list("state", flat=True)) == ["ended", "open"]


def test_a_start_in_upper_case_is_the_same_class(rest: Rest, school: School) -> None:
    token = token_of(school.owner)
    first = rest.post("/attendance/start", {"classId": school.class_id}, token=token).body
    assert rest.post("/attendance/start", {"classId": school.class_id.upper()}, token=token).body == first
