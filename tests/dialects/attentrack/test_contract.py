"""Records, classes, teachers and the live state, answer by answer."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import StudentProfile, User
from attendance.enums import Method, SessionState
from attendance.models import Attendance, Mark, Session
from classes.models import Class
from core.times import now
from tests.api.rest import UNKNOWN_ID, Rest, make_user, token_of
from tests.dialects.attentrack.bare import AttenTrackSchool, Bare

#: For tests of what happens after a commit, or of a unit of work that is undone.
COMMITS = pytest.mark.django_db(transaction=True)

CREATE = "/api/attendance/createAttendance"
MORNING = "2025-05-17T10:00:00.000Z"


def create(rest: Bare, school: AttenTrackSchool, records: Any, date: str = MORNING, who: User | None = None) -> Any:
    body = {"class_id": school.class_id, "date": date, "records": records, "auth": True}
    return rest.post(CREATE, body, token=token_of(who or school.owner))


def test_a_record_is_a_finished_session_of_its_instant(rest: Bare, school: AttenTrackSchool) -> None:
    answer = create(rest, school, {"1": True, "99": True, "3": True})
    session = school.sessions()[0]
    assert (answer.status, answer.body) == (
        201,
        {
            "message": "Attendance created",
            "attendance": {
                "_id": session.id,
                "id": session.id,
                "class_id": school.class_id,
                "date": MORNING,
                "records": {"1": True, "2": False},
            },
        },
    )
    assert (session.state, session.started_at, session.ended_at) == (
        SessionState.ENDED,
        session.recorded_for,
        session.recorded_for,
    )
    assert list(Mark.objects.values_list("student_id", "status", "method", "by_id")) == [
        (school.student.id, "present", Method.IMPORT, school.owner.id)
    ]


def test_a_record_sent_again_for_its_instant_corrects_the_record(rest: Bare, school: AttenTrackSchool) -> None:
    create(rest, school, {"1": True, "2": True})
    answer = create(rest, school, {"1": True, "2": False}, "2025-05-17T12:00:00+02:00")
    assert (answer.status, answer.body["message"]) == (200, "Attendance updated")
    assert answer.body["attendance"]["records"] == {"1": True, "2": False}
    assert list(Mark.objects.order_by("seq").values_list("student_id", "method")) == [
        (school.student.id, Method.IMPORT),
        (school.second.id, Method.IMPORT),
        (school.second.id, Method.CORRECTION),
    ]
    assert len(school.sessions()) == 1
    assert create(rest, school, {"1": True}, "2025-05-17T10:00:01Z").status == 201


@COMMITS
def test_a_record_ends_the_live_session_and_overrules_its_marks(rest: Bare, school: AttenTrackSchool) -> None:
    token = token_of(school.owner)
    body = {"otp": "123456", "time": 60, "id": school.class_id}
    assert rest.post("/setAttendance", body, token=token).body == "OTP and Final Time set"
    session = school.sessions()[0]
    Mark.objects.create(
        session=session, seq=1, student=school.student, status="present", at=timezone.now(), by=school.student,
        method=Method.SELF,
    )  # fmt: skip
    Session.objects.update(last_seq=1)
    answer = create(rest, school, {"1": True, "2": True})
    assert (answer.status, answer.body["attendance"]["_id"]) == (201, session.id)
    assert list(Mark.objects.order_by("seq").values_list("student_id", "status", "method")) == [
        (school.student.id, "present", Method.SELF),
        (school.second.id, "present", Method.BULK),
    ]
    ended = school.sessions()[0]
    assert (ended.state, ended.present_count, ended.absent_count) == (SessionState.ENDED, 2, 0)
    assert rest.get("/getAttendance", token=token).body == {"currentOTP": None, "finalTime": 1, "currentId": None}


def test_an_unverified_teacher_may_make_ten_records(rest: Bare, school: AttenTrackSchool) -> None:
    User.objects.filter(pk=school.owner.pk).update(email_verified_at=None)
    for day in range(10, 20):
        assert create(rest, school, {"1": True}, f"2025-05-{day}").status == 201
    answer = create(rest, school, {"1": True}, "2025-05-20")
    assert (answer.status, answer.body) == (406, {"error": "Please verify your email first"})
    assert create(rest, school, {"1": False}, "2025-05-19").status == 200


def test_a_student_reads_their_own_records(rest: Bare, school: AttenTrackSchool) -> None:
    school.record(rest, "2025-05-17T10:00:00Z", r1=True)
    school.record(rest, "2025-05-16T23:59:00Z", r1=False)
    body = {"class_id": school.class_id, "rollNumber": "1", "auth": False}
    answer = rest.post("/api/student/attendance", body, token=token_of(school.student))
    assert (answer.status, answer.body) == (
        200,
        {
            "totalClasses": 2,
            "presentClasses": 1,
            "attendanceMap": [
                {"date": "16-05-25", "time": "23:59", "status": False},
                {"date": "17-05-25", "time": "10:00", "status": True},
            ],
            "not_allowed": True,
        },
    )
    answer = rest.get("/api/student/attendance/1", token=token_of(school.student))
    assert answer.body == {school.class_id: {"total_days": 2, "attended": 1}}
    answer = rest.post("/api/student/attendance", {**body, "class_id": UNKNOWN_ID}, token=token_of(school.student))
    assert (answer.status, answer.body) == (400, {"error": "Class not found"})


def test_an_unverified_student_with_ten_records_may_mark_no_more(rest: Bare, school: AttenTrackSchool) -> None:
    body = {"class_id": school.class_id, "rollNumber": "2"}
    for day, allowed in ((10, True), (19, False)):
        while len(school.sessions()) <= day - 10:
            school.record(rest, f"2025-05-{10 + len(school.sessions())}", r2=True)
        answer = rest.post("/api/student/attendance", body, token=token_of(school.second))
        assert answer.body["not_allowed"] is allowed
    body["rollNumber"] = "1"
    assert rest.post("/api/student/attendance", body, token=token_of(school.student)).body["not_allowed"] is True


@pytest.mark.parametrize(
    ("start", "end"),
    [("2025-05-17", "2025-05-17"), ("Sat May 17 2025", "Sat May 17 2025"), (MORNING, "2025-05-17T00:00:00Z")],
)
def test_reports_include_the_end_day(rest: Bare, school: AttenTrackSchool, start: str, end: str) -> None:
    school.record(rest, "2025-05-16T23:59:59.999Z", r1=True)
    first = school.record(rest, "2025-05-17T00:00:00Z", r1=True, r2=True)
    last = school.record(rest, "2025-05-17T23:59:59.999Z", r1=False, r2=True)
    school.record(rest, "2025-05-18T00:00:00Z", r1=True)
    body = {"class_id": school.class_id, "startDate": start, "endDate": end}
    answer = rest.post("/api/teacher/records", body, token=token_of(school.owner))
    assert (answer.status, answer.body) == (
        200,
        {
            "class_id": school.class_id,
            "totalDays": 2,
            "report": {
                "1": {"totalDays": 2, "presentCount": 1, "name": "Asha", "email": "Asha@example.com"},
                "2": {"totalDays": 2, "presentCount": 2, "name": "Ben", "email": "Ben@example.com"},
            },
        },
    )
    answer = rest.post("/api/teacher/overall-records", body, token=token_of(school.owner))
    assert answer.body == [
        {"date": "17-05-25", "time": "00:00", "id": first, "presentCount": 2, "absentCount": 0},
        {"date": "17-05-25", "time": "23:59", "id": last, "presentCount": 1, "absentCount": 1},
    ]


def test_days_and_times_are_in_the_schools_time(rest: Bare, school: AttenTrackSchool) -> None:
    with timezone.override("Asia/Kolkata"):
        school.record(rest, "2025-05-17T20:00:00Z", r1=True)
        body = {"class_id": school.class_id, "startDate": "2025-05-18", "endDate": "2025-05-18"}
        answer = rest.post("/api/teacher/overall-records", body, token=token_of(school.owner))
        assert [(row["date"], row["time"]) for row in answer.body] == [("18-05-25", "01:30")]


def test_a_record_is_read_flipped_and_deleted(rest: Bare, school: AttenTrackSchool) -> None:
    token = token_of(school.owner)
    record = school.record(rest, r1=True, r2=False)
    path = f"/api/attendance/specific-record?id={record}"
    assert rest.get(path, token=token).body == {"1": True, "2": False}

    flip = {"attendance_id": record, "datas": ["1", 2, "2"]}
    answer = rest("PATCH", "/api/attendance/change-specific-record", flip, token=token)
    assert (answer.status, answer.body) == (200, {"message": "Attendance updated"})
    assert rest.get(path, token=token).body == {"1": False, "2": True}
    marks = Mark.objects.filter(method=Method.CORRECTION).order_by("seq")
    assert list(marks.values_list("student_id", "status", "by_id")) == [
        (school.student.id, "absent", school.owner.id),
        (school.second.id, "present", school.owner.id),
    ]
    answer = rest("PATCH", "/api/attendance/change-specific-record", {**flip, "datas": ["1", "77"]}, token=token)
    assert (answer.status, answer.body) == (400, {"error": "Student not found"})
    assert rest.get(path, token=token).body == {"1": False, "2": True}

    journal = Mark.objects.count()
    assert rest("DELETE", f"/api/attendance/delete-record?id={record}", token=token).status == 204
    assert (Mark.objects.count(), Attendance.objects.count()) == (journal, 0)
    assert school.sessions()[0].state == SessionState.VOIDED
    answer = rest.get(path, token=token)
    assert (answer.status, answer.body) == (400, {"error": "Record not found"})
    assert rest("DELETE", f"/api/attendance/delete-record?id={record}", token=token).status == 400
    body = {"class_id": school.class_id, "startDate": "2025-05-17", "endDate": "2025-05-17"}
    assert rest.post("/api/teacher/overall-records", body, token=token).body == []
    assert create(rest, school, {"1": True}).status == 201  # the deleted record no longer has the instant


@pytest.mark.parametrize("query", ["", "?id=", "?id=x", f"?id={UNKNOWN_ID}"])
def test_an_unknown_record_is_answered_400(rest: Bare, school: AttenTrackSchool, query: str) -> None:
    for method, route in (("GET", "specific-record"), ("DELETE", "delete-record")):
        assert rest(method, f"/api/attendance/{route}{query}", token=token_of(school.owner)).status == 400


SHEET = [
    {"email": "new@example.com", "fullName": "New One", "rollNumber": "10"},
    {"email": "asha@example.com", "fullName": "Asha R.", "rollNumber": "1"},
]


def new_class(school: AttenTrackSchool, **fields: Any) -> dict[str, Any]:
    details = {"classname": "Optics", "batch": "2027", "semester": "1", "department": "Science"}
    return {**details, "teacherid": school.owner.id, "students": SHEET, **fields}


def test_a_class_is_made_with_its_students(rest: Bare, school: AttenTrackSchool) -> None:
    token = token_of(school.owner)
    answer = rest.post("/api/class/create-class", new_class(school), token=token)
    class_id = answer.body["_id"]
    details = {"classname": "Optics", "batch": "2027", "semester": "1", "department": "Science"}
    assert (answer.status, answer.body) == (
        201,
        {"_id": class_id, "class_id": class_id, **details, "teacherid": school.owner.id},
    )
    answer = rest.get(f"/api/class/getList/{class_id}", token=token)
    assert answer.body == {
        "class_id": class_id,
        **details,
        "students": [
            {"name": "New One", "rollNumber": "10", "email": "new@example.com"},
            {"name": "Asha", "rollNumber": "1", "email": "Asha@example.com"},
        ],
    }
    made = User.objects.get(email="new@example.com")
    assert made.awaits_registration
    assert made.never_registered
    assert StudentProfile.objects.get(user=made).batch == "2027"


@COMMITS
@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"classname": " Physics "}, "Class already exists"),
        (
            {"students": [SHEET[0], {**SHEET[1], "rollNumber": "2"}]},
            "A roll number or an email belongs to somebody else",
        ),
        (
            {"students": [SHEET[0], {**SHEET[0], "email": "b@example.com"}]},
            "A roll number or an email belongs to somebody else",
        ),
        (
            {"students": [{**SHEET[0], "email": "owner@example.com"}]},
            "A roll number or an email belongs to somebody else",
        ),
        ({"students": [SHEET[0], {**SHEET[0], "email": "nothing"}]}, "Invalid request schema"),
        ({"students": [{**SHEET[0], "rollNumber": "1.23457E+11"}]}, "Invalid request schema"),
        ({"students": [{"email": "x@example.com", "fullName": "X"}]}, "Invalid request schema"),
        ({"teacherid": UNKNOWN_ID}, "Teacher not found"),
    ],
)
def test_a_class_is_made_whole_or_not_at_all(
    rest: Bare, school: AttenTrackSchool, fields: dict[str, Any], error: str
) -> None:
    before = (Class.objects.count(), User.objects.count())
    answer = rest.post("/api/class/create-class", new_class(school, **fields), token=token_of(school.owner))
    assert (answer.status, answer.body) == (400, {"error": error})
    assert (Class.objects.count(), User.objects.count()) == before


@COMMITS
def test_a_removed_class_is_found_nowhere_and_keeps_its_journal(rest: Bare, school: AttenTrackSchool) -> None:
    token = token_of(school.owner)
    record = school.record(rest, r1=True)
    rest.post("/setAttendance", {"otp": 1, "time": 1, "id": school.class_id}, token=token)
    assert rest("DELETE", f"/api/class/remove/{school.class_id}", token=token).status == 204

    for method, path in (("DELETE", "remove"), ("GET", "getList")):
        answer = rest(method, f"/api/class/{path}/{school.class_id}", token=token)
        assert (answer.status, answer.body) == (404, {"error": "Class not found"})
    assert rest.get(f"/api/attendance/specific-record?id={record}", token=token).status == 400
    assert rest.get("/getAttendance", token=token).body["currentId"] is None
    student = token_of(school.student)
    assert rest.get("/api/student/attendance/1", token=student).body == {}
    assert rest.get("/api/student/token-login", token=student).body["coursesId"] == []
    canonical = Rest()
    canonical.get(f"/class/{school.class_id}", token=student).is_failure(404, "Class not found")
    canonical.get(f"/class/{school.class_id}/my-attendance", token=student).is_failure(404, "Class not found")
    body = {"classId": school.class_id}
    canonical.post("/attendance/start", body, token=token).is_failure(404, "Class not found")

    assert Mark.objects.count() == 1
    assert [session.state for session in school.sessions()] == [SessionState.ENDED, SessionState.VOIDED]
    assert rest.post("/api/class/create-class", new_class(school, classname="Physics"), token=token).status == 201


def superuser() -> User:
    return make_user("Boss", "teacher", is_staff=True, is_superuser=True)


def test_a_superuser_adds_teachers(rest: Bare, school: AttenTrackSchool) -> None:
    token = token_of(superuser())
    tess = {"email": "tess@example.com", "fullName": "Tess", "department": "Maths"}
    answer = rest.post("/api/superadmin/add-teacher", tess, token=token)
    assert (answer.status, answer.body) == (201, {"message": "Teacher added"})
    answer = rest.post("/api/superadmin/add-teacher", tess, token=token)
    assert (answer.status, answer.body) == (400, {"error": "Email already exists"})
    many = [tess, {**tess, "email": "una@example.com"}, {**tess, "email": "UNA@example.com"}]
    answer = rest.post("/api/superadmin/add-teachers", {"teachers": many}, token=token)
    assert (answer.status, answer.body) == (201, {"message": "Teachers added: 1"})
    una = User.objects.select_related("teacher_profile").get(email="una@example.com")
    assert (una.role, una.awaits_registration, una.teacher_profile.department) == ("teacher", True, "Maths")
    bad = {"teachers": [{**tess, "email": "vera@example.com"}, {"email": "no"}]}
    assert rest.post("/api/superadmin/add-teachers", bad, token=token).status == 400
    assert not User.objects.filter(email="vera@example.com").exists()


@COMMITS
def test_the_live_state_is_the_sessions_and_the_classs_teacher_alone_sees_the_code(
    rest: Bare, school: AttenTrackSchool
) -> None:
    teacher, student = token_of(school.owner), token_of(school.student)
    first = {"currentOTP": None, "finalTime": 1, "currentId": None}
    assert rest.get("/getAttendance", token=student).body == first
    rest.post("/setAttendance", {"otp": "048213", "time": "60", "id": school.class_id}, token=teacher)
    now_set = {"currentOTP": "048213", "finalTime": "60", "currentId": school.class_id}
    assert rest.get("/getAttendance", token=teacher).body == now_set
    for other in (student, token_of(school.other_teacher)):
        assert rest.get("/getAttendance", token=other).body == {**now_set, "currentOTP": None}
    rest.post("/setAttendance", {"otp": 482130, "time": 30, "id": school.class_id}, token=teacher)
    assert rest.get("/getAttendance", token=teacher).body["currentOTP"] == 482130
    assert len(school.sessions()) == 1


@COMMITS
def test_polling_reads_nothing_but_the_tokens_user_from_the_database(
    rest: Bare,
    school: AttenTrackSchool,
    settings: Any,
    monkeypatch: pytest.MonkeyPatch,
    django_assert_num_queries: Any,
) -> None:
    monkeypatch.setattr(
        "dialects.attentrack.board.MAX_AGE", 60.0
    )  # the polls of a busy machine may take longer than a second
    student = token_of(school.student)
    rest.post("/setAttendance", {"otp": "1", "time": 2, "id": school.class_id}, token=token_of(school.owner))
    rest.get("/getAttendance", token=student)
    with django_assert_num_queries(20):  # one read of the token's user for each poll
        for _ in range(20):
            assert rest.get("/getAttendance", token=student).body["currentId"] == school.class_id
    settings.ATTENTRACK_OPEN = True
    with django_assert_num_queries(0):
        assert rest.get("/getAttendance").body["currentOTP"] == "1"


@COMMITS
def test_in_open_mode_anyone_sees_the_code_and_nobody_needs_a_token(
    rest: Bare, school: AttenTrackSchool, open_mode: None
) -> None:
    assert rest.post("/setAttendance", {"otp": "1", "time": 2, "id": school.class_id}).status == 200
    assert rest.get("/getAttendance").body == {"currentOTP": "1", "finalTime": 2, "currentId": school.class_id}
    body = {"class_id": school.class_id, "date": MORNING, "records": {"1": True}}
    assert rest.post(CREATE, body).status == 201
    assert Mark.objects.get().by_id == school.owner.id


def test_the_server_says_that_it_runs(rest: Bare) -> None:
    answer = rest.get("/")
    assert (answer.status, answer.body) == (200, "Server is running...")


@pytest.mark.parametrize("path", ["/api/student/nothing", "/api/class", "/api/superadmin/x", "/getAttendance/x"])
def test_unknown_routes_are_answered_in_this_protocols_words(rest: Bare, path: str) -> None:
    answer = rest.get(path)
    assert (answer.status, answer.body) == (404, {"error": "Not found"})


def test_a_wrong_method_is_a_405(rest: Bare) -> None:
    answer = rest.get("/api/student/login")
    assert (answer.status, answer.body) == (405, {"error": "Method not allowed"})


@pytest.mark.parametrize("ahead", [timedelta(minutes=6), timedelta(days=400)])
def test_a_record_of_the_future_is_refused(rest: Bare, school: AttenTrackSchool, ahead: timedelta) -> None:
    answer = create(rest, school, {"1": True}, (now() + ahead).isoformat())
    assert (answer.status, answer.body) == (400, {"error": "The time lies in the future"})
    assert school.sessions() == []
    assert create(rest, school, {"1": True}, (now() + timedelta(minutes=4)).isoformat()).status == 201
