"""Classes, their students and their lessons on the pages."""

import io
from typing import Any

import pytest
from openpyxl import load_workbook

from accounts.models import User
from attendance.enums import Method, Status
from attendance.models import Attendance, Mark, Session
from classes.models import Class, Enrolment
from tests.api.rest import School, make_user
from tests.support.http import Client
from tests.web.people import signed_in, text_of, words_of

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def school(transactional_db: None) -> School:
    return School()


def content_of(answer: Any) -> bytes:
    """A file that is sent in pieces."""
    return b"".join(answer.streaming_content)


def follow(client: Client, answer: Any) -> str:
    """The words of the page that a form led to."""
    assert answer.status_code == 302, answer.content
    return words_of(text_of(client.get(answer["Location"])))


# Classes and students


def test_a_teacher_makes_a_class_and_puts_students_on_its_list(owner: Client, school: School) -> None:
    made = owner.post("/app/classes/new", {"name": "Chemistry"})
    said = follow(owner, made)
    assert "Now put your students on its list" in said
    students = made["Location"]
    User.objects.filter(pk=school.other_student.pk).update(roll_number="7B-3", roll_number_key="7b-3")
    assert "Student is on the list." in follow(owner, owner.post(students, {"login": " student@example.com "}))
    assert "2 students" in follow(owner, owner.post(students, {"login": "7B-3"}))
    chemistry = Class.objects.get(name="Chemistry")
    assert set(chemistry.students.all()) == {school.student, school.other_student}


@pytest.mark.parametrize(
    ("login", "said"),
    [
        ("nobody@example.com", "There is no such student."),
        ("owner@example.com", "There is no such student."),
        ("student@example.com", "This student is in the class already."),
        ("", "This field is required."),
    ],
)
def test_who_cannot_be_put_on_the_list_is_said_beside_the_field_and_what_was_typed_stays(
    owner: Client, school: School, login: str, said: str
) -> None:
    answer = owner.post(f"/app/classes/{school.class_id}/students", {"login": login})
    assert answer.status_code in (400, 404, 409)
    html = answer.content.decode()
    assert said in html
    assert f'value="{login}"' in html or not login


def test_a_class_of_the_same_name_is_refused_beside_the_name(owner: Client) -> None:
    html = text_of(owner.post("/app/classes/new", {"name": "Physics"}), 409)
    assert "You have a class of this name already." in html
    assert 'value="Physics"' in html


def test_a_student_who_is_taken_off_stays_in_what_was_recorded(owner: Client, school: School) -> None:
    school.finish_session()
    answer = owner.post(f"/app/classes/{school.class_id}/students/{school.student.id}/remove")
    assert "Student is off the list from today on." in follow(owner, answer)
    assert Attendance.objects.count() == 1
    assert not Enrolment.objects.current().exists()
    assert "1 former student" in words_of(text_of(owner.get(f"/app/classes/{school.class_id}/students")))


def test_another_teacher_teaches_together_with_the_owner_and_may_not_remove_the_class(
    owner: Client, school: School
) -> None:
    path = f"/app/classes/{school.class_id}"
    other = signed_in(school.other_teacher)
    assert other.get(f"{path}/").status_code == 404
    assert "Other teaches this class, too." in follow(
        owner, owner.post(f"{path}/teachers", {"email": "other@example.com"})
    )
    assert "Physics" in words_of(text_of(other.get("/app/")))
    assert other.post(f"{path}/start").status_code == 302
    assert "Only the teacher whose class it is" in text_of(
        other.post(f"{path}/teachers", {"email": "x@example.com"}), 403
    )
    assert other.post(f"{path}/remove").status_code == 403
    owner.post(f"{path}/teachers/{school.other_teacher.id}/remove")
    assert other.get(f"{path}/").status_code == 404


def test_an_archived_class_takes_no_lesson_and_comes_back(owner: Client, school: School) -> None:
    path = f"/app/classes/{school.class_id}"
    assert "In the archive" in follow(owner, owner.post(f"{path}/archive"))
    assert "The class is in the archive" in text_of(owner.post(f"{path}/start"), 409)
    assert "Physics" not in words_of(text_of(owner.get("/app/classes/")))
    assert "Physics" in words_of(text_of(owner.get("/app/classes/?archived=1")))
    owner.post(f"{path}/archive", {"back": "1"})
    assert owner.post(f"{path}/start").status_code == 302


def test_a_class_that_had_a_lesson_is_archived_and_not_removed(owner: Client, school: School) -> None:
    school.finish_session()
    path = f"/app/classes/{school.class_id}/remove"
    assert "Archive it instead." in text_of(owner.post(path), 409)
    Attendance.objects.all().delete()
    Session.objects.all().delete()
    assert "The class is removed." in follow(owner, owner.post(path))
    assert owner.get(f"/app/classes/{school.class_id}/").status_code == 404


def test_a_class_is_renamed(owner: Client, school: School) -> None:
    path = f"/app/classes/{school.class_id}/settings"
    assert "Optics" in follow(owner, owner.post(path, {"name": "Optics"}))
    assert "This field is required." in text_of(owner.post(path, {"name": " "}), 400)


# A lesson without a script


def test_a_lesson_is_taken_without_any_script(owner: Client, school: School) -> None:
    ben = make_user("Ben")
    Enrolment.objects.create(class_ref=school.physics, student=ben)
    board = owner.post(f"/app/classes/{school.class_id}/start")["Location"]
    assert "Live since" in words_of(text_of(owner.get(board)))
    said = follow(owner, owner.post(f"{board}marks", {"mark": f"{school.student.id}:late"}))
    assert "Late 1" in said
    assert "Not yet 1" in said
    assert "1 student is marked." in follow(owner, owner.post(f"{board}rest", {"status": "absent"}))
    assert "1 mark is undone." in follow(owner, owner.post(f"{board}undo"))
    assert "1 mark is undone." in follow(owner, owner.post(f"{board}undo"))
    assert "There is nothing to undo." in follow(owner, owner.post(f"{board}undo"))
    owner.post(f"{board}marks", {"mark": f"{school.student.id}:present"})
    assert "The lesson is over" in follow(owner, owner.post(f"{board}end"))
    records = dict(Attendance.objects.values_list("student_id", "status"))
    assert records == {school.student.id: Status.PRESENT, ben.id: Status.ABSENT}
    assert "This lesson is over." in text_of(owner.post(f"{board}marks", {"mark": f"{ben.id}:late"}), 409)


@pytest.mark.parametrize("mark", ["", "x", "x:present", "{student}:gone", "{student}"])
def test_a_mark_that_cannot_be_read_changes_nothing(owner: Client, school: School, mark: str) -> None:
    board = owner.post(f"/app/classes/{school.class_id}/start")["Location"]
    answer = owner.post(f"{board}marks", {"mark": mark.replace("{student}", school.student.id)})
    assert answer.status_code in (400, 409)
    assert not Mark.objects.exists()


def test_a_lesson_is_opened_again_on_the_day_of_its_end(owner: Client, school: School) -> None:
    board = owner.post(f"/app/classes/{school.class_id}/start")["Location"]
    owner.post(f"{board}end")
    assert "The lesson is open again." in follow(owner, owner.post(f"{board}reopen"))
    assert not Attendance.objects.exists()


# The record


@pytest.fixture
def record(school: School) -> str:
    """The address of a finished lesson, in which the student was absent."""
    school.finish_session()
    return f"/app/sessions/{Session.objects.get().id}/"


def test_a_record_is_corrected_with_a_reason_which_its_history_keeps(
    owner: Client, school: School, record: str
) -> None:
    path = f"{record}students/{school.student.id}"
    assert "This field is required." in text_of(owner.post(path, {"status": "late"}), 400)
    assert Attendance.objects.get().status == Status.ABSENT
    said = follow(owner, owner.post(path, {"status": "late", "note": "The <b>bus</b> came late"}))
    assert "The record of Student is corrected." in said
    found = Attendance.objects.get()
    assert (found.status, found.method) == (Status.LATE, Method.CORRECTION)
    history = text_of(owner.get(path))
    assert "The &lt;b&gt;bus&lt;/b&gt; came late" in history
    assert "corrected afterwards · Owner" in words_of(history)
    assert "absent without a mark" in words_of(history)


def test_nobody_elses_student_is_corrected(owner: Client, school: School, record: str) -> None:
    path = f"{record}students/{school.other_student.id}"
    assert owner.get(path).status_code == 404
    assert owner.post(path, {"status": "late", "note": "why"}).status_code == 409
    assert Attendance.objects.count() == 1


def test_the_printed_list_has_a_line_to_sign_for_each_student(owner: Client, school: School, record: str) -> None:
    said = words_of(text_of(owner.get(f"{record}print")))
    assert "Signature" in said
    assert "Student" in said


# Reports


@pytest.fixture
def lessons(school: School) -> None:
    """Four lessons: present, late, excused, absent."""
    Enrolment.objects.update(since=None)
    for status in (Status.PRESENT, Status.LATE, Status.EXCUSED, Status.ABSENT):
        school.finish_session()
        Attendance.objects.filter(session=Session.objects.latest("started_at")).update(status=status)


def test_a_report_counts_late_as_there_and_leaves_excused_lessons_out(
    owner: Client, student: Client, school: School, lessons: None
) -> None:
    said = words_of(text_of(owner.get(f"/app/classes/{school.class_id}/reports")))
    assert "66.7 % in 4 lessons" in said
    assert "Below 75 % Student 66.7 %" in said
    assert "Present and late count as attended" in said
    own = words_of(text_of(student.get(f"/app/me/classes/{school.class_id}")))
    assert "66.7 % 2 of 3 lessons" in own
    assert "66.7 % · 2 of 3 lessons" in words_of(text_of(student.get("/app/")))
    same = words_of(text_of(owner.get(f"/app/classes/{school.class_id}/students/{school.student.id}")))
    assert "66.7 % 2 of 3 lessons" in same


def test_every_cell_of_the_report_leads_to_its_lesson(owner: Client, school: School, lessons: None) -> None:
    html = text_of(owner.get(f"/app/classes/{school.class_id}/reports"))
    for session_id in Session.objects.values_list("id", flat=True):
        assert html.count(f'href="/app/sessions/{session_id}/"') == 3  # in the numbers, in the headings, in the cell


def test_a_report_of_other_days_has_other_lessons(owner: Client, school: School, lessons: None) -> None:
    path = f"/app/classes/{school.class_id}/reports"
    assert "no finished lesson in these days" in text_of(owner.get(f"{path}?until=2020-01-01"))
    assert "in 4 lessons" in words_of(text_of(owner.get(f"{path}?since=2020-01-01")))
    assert "Enter a valid date." in text_of(owner.get(f"{path}?since=yesterday"), 400)


def test_the_report_is_a_file_in_which_no_name_is_a_formula(owner: Client, school: School, lessons: None) -> None:
    User.objects.filter(pk=school.student.pk).update(name="=1+1")
    path = f"/app/classes/{school.class_id}/reports"
    csv = owner.get(f"{path}.csv")
    assert csv["Content-Disposition"] == 'attachment; filename="Physics.csv"'
    lines = content_of(csv).decode().splitlines()
    assert lines[0].startswith('\ufeff"Roll number"'), "Excel would take it for Windows-1252"
    texts = '"","\'=1+1","Student@example.com","present","late","excused","absent"'
    assert lines[1].startswith(f"{texts},1,1,1,1,2,3,66.7")
    assert "excused lessons are left out" in lines[-1]
    xlsx = owner.get(f"{path}.xlsx")
    sheet: Any = load_workbook(io.BytesIO(content_of(xlsx))).active
    assert (sheet["B2"].value, sheet["B2"].data_type) == ("=1+1", "s")
    assert owner.get(f"{path}.pdf").status_code == 404


# The first day


def test_the_first_visit_leads_to_the_first_account_and_a_sample_class() -> None:
    admin = User(name="Administrator", email="admin@attendance.local", role="teacher", is_staff=True, is_superuser=True)
    admin.set_password("correct horse")
    admin.save(force_insert=True)
    client = Client()
    welcome = client.get("/app/")["Location"]
    assert "This server is new." in words_of(text_of(client.get(welcome)))
    new = {"name": "Asha", "email": "asha@example.com", "password": "correct horse", "role": "teacher"}
    assert "Three steps to your first lesson" in follow(client, client.post(welcome, new))
    assert "Here is a class of invented students" in follow(client, client.post("/app/classes/sample"))
    assert Enrolment.objects.count() == 30
    assert Session.objects.filter(state="ended").count() == 3
    assert client.post("/app/classes/sample")["Location"] == "/app/classes/"
    assert client.get(f"/app/classes/{Class.objects.get().id}/reports").status_code == 200
    assert Client().get("/app/")["Location"] == "/app/sign-in"
