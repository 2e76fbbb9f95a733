"""Classes, their students and their lessons on the pages."""

import io
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from openpyxl import load_workbook

from accounts.models import User
from accounts.selectors import actor_of
from attendance.enums import Method, Status
from attendance.journal import NewMark
from attendance.live.commit import Unit, commit
from attendance.models import Attendance, Mark, Session
from attendance.services import session_end, session_start
from classes.models import Class, Enrolment, Preview
from core.times import now
from tests.api.rest import School, make_user
from tests.support.http import Client
from tests.support.queries import around_queries
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


@pytest.mark.parametrize(
    ("language", "heading"),
    [
        ("en", "11/28<br>9:30 PM"),
        ("de", "28.11.<br>21:30"),
        ("fr", "28/11<br>21:30"),
        ("es", "28/11<br>21:30"),
        ("hi", "28-11<br>21:30"),
        ("ar", "28\u200f/11<br>9:30 م"),
    ],
)
def test_the_map_of_students_and_lessons_has_days_as_the_readers_language_writes_them(
    owner: Client, school: School, language: str, heading: str
) -> None:
    at = datetime(2026, 11, 28, 21, 30, tzinfo=UTC)
    Session.objects.create(class_ref=school.physics, started_by=school.owner, started_at=at, ended_at=at, state="ended")
    page = owner.get(f"/app/classes/{school.class_id}/reports", headers={"Accept-Language": language})
    assert heading in text_of(page)


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
    again = owner.post(f"/app/classes/{school.class_id}/students/{school.student.id}/remove")
    assert "Student was off the list already." in follow(owner, again)


def test_a_teacher_is_told_in_their_own_words_that_a_student_is_not_on_the_list(owner: Client, school: School) -> None:
    session = school.start_session()
    stranger = make_user("Elsewhere")
    html = text_of(owner.post(f"/app/sessions/{session}/marks", {"mark": f"{stranger.id}:present"}), 409)
    assert "This student is not on the class&#x27;s list" in html
    assert "Ask your teacher" not in html


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


def test_the_archive_has_pages_by_name(owner: Client, school: School) -> None:
    for number in range(51):
        Class.objects.create(name=f"Course {number:02}", teacher=school.owner, archived_at=now())
    first, last = (words_of(text_of(owner.get(f"/app/classes/?archived=1&page={page}"))) for page in (1, 2))
    assert "Course 00" in first
    assert "1 of 2" in first
    assert "Course 50" not in first
    assert "Course 50" in last
    assert 'href="?archived=1&amp;page=2"' in text_of(owner.get("/app/classes/?archived=1"))


def test_a_student_sees_the_classes_of_this_year_and_finds_those_of_earlier_years(
    owner: Client, student: Client, school: School
) -> None:
    school.finish_session()
    assert "Archived classes" not in text_of(student.get("/app/"))
    owner.post(f"/app/classes/{school.class_id}/archive")
    now_shown = words_of(text_of(student.get("/app/")))
    assert "Physics" not in now_shown
    assert "Archived classes" in now_shown
    assert "Physics Owner 0.0 %" in words_of(text_of(student.get("/app/?archived=1")))
    assert "Physics" not in text_of(student.get("/app/excuses/"))


def test_a_students_home_asks_as_often_for_many_classes_as_for_one(student: Client, school: School) -> None:
    asked: list[str] = []

    def count(ask: Callable[[], Any], text: str) -> Any:
        asked.append(text)
        return ask()

    numbers = []
    for number in range(3):
        if number:
            more = Class.objects.create(name=f"Course {number}", teacher=school.owner)
            Enrolment.objects.create(class_ref=more, student=school.student)
            started = session_start(actor=actor_of(school.owner), class_id=more.id)
            commit(
                [Unit([NewMark(started.id, school.student.id, Status.LATE, now(), school.owner.id, Method.TEACHER)])]
            )
            session_end(session_id=started.id)
        else:
            school.finish_session()
        asked.clear()
        with around_queries(count):
            html = text_of(student.get("/app/"))
        numbers.append(len(asked))
    assert numbers[0] == numbers[2] > 0
    assert "Course 2" in html


def test_a_class_that_had_a_lesson_is_archived_and_not_removed(owner: Client, school: School) -> None:
    school.finish_session()
    path, page = f"/app/classes/{school.class_id}/remove", f"/app/classes/{school.class_id}/settings"
    assert "Archive it instead." in text_of(owner.post(path), 409)
    assert path not in text_of(owner.get(page))
    assert "The class has had lessons." in text_of(owner.get(page))
    Attendance.objects.all().delete()
    Session.objects.all().delete()
    asked = text_of(owner.get(page)).partition(f'action="{path}"')[2]
    assert "are removed for good" in asked.partition("</details>")[0]
    assert "The class is removed." in follow(owner, owner.post(path))
    assert owner.get(f"/app/classes/{school.class_id}/").status_code == 404


def test_a_class_is_renamed(owner: Client, school: School) -> None:
    path = f"/app/classes/{school.class_id}/settings"
    assert "Optics" in follow(owner, owner.post(path, {"name": "Optics"}))
    assert "The class has its new name." in follow(owner, owner.post(path, {"name": "Optics"}))
    assert "This field is required." in text_of(owner.post(path, {"name": " "}), 400)


def test_a_class_takes_no_name_that_another_class_of_its_teacher_has(owner: Client, school: School) -> None:
    path = f"/app/classes/{school.class_id}/settings"
    owner.post("/app/classes/new", {"name": "Optics"})
    html = text_of(owner.post(path, {"name": "Optics"}), 409)
    assert "You have a class of this name already." in html
    assert Class.objects.get(pk=school.class_id).name == "Physics"
    owner.post(f"/app/classes/{school.class_id}/teachers", {"email": "other@example.com"})
    other = signed_in(school.other_teacher)
    assert "The teacher whose class it is has a class of this name" in text_of(
        other.post(path, {"name": "Optics"}), 400
    )
    other.post("/app/classes/new", {"name": "Waves"})
    assert "The class has its new name." in follow(owner, owner.post(path, {"name": "Waves"}))


def test_the_owner_of_a_class_is_not_made_its_co_teacher(owner: Client, school: School) -> None:
    html = text_of(owner.post(f"/app/classes/{school.class_id}/teachers", {"email": school.owner.email}), 400)
    assert "The class is this teacher&#x27;s already." in html


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
    assert f"{board}reopen" in text_of(owner.get(board))
    assert "The lesson is open again." in follow(owner, owner.post(f"{board}reopen"))
    assert not Attendance.objects.exists()
    owner.post(f"{board}end")
    owner.post(f"/app/classes/{school.class_id}/start")
    assert f"{board}reopen" not in text_of(owner.get(board))
    assert owner.post(f"{board}reopen").status_code == 409


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
    for without in ({}, {"note": " "}, {"note": "\u200b\u2060"}):
        assert "This field is required." in text_of(owner.post(path, {"status": "late", **without}), 400)
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


def test_a_students_records_have_pages_the_last_one_first(owner: Client, student: Client, school: School) -> None:
    for day in range(51):
        at = datetime(2026, 1, 1, 9, tzinfo=UTC) + timedelta(days=day)
        session = Session.objects.create(
            class_ref=school.physics, started_by=school.owner, started_at=at, ended_at=at, state="ended"
        )
        Attendance.objects.create(
            class_ref=school.physics, session=session, student=school.student, status="present", method="teacher"
        )
    Enrolment.objects.update(since=None)
    for client, path in (
        (owner, f"/app/classes/{school.class_id}/students/{school.student.id}"),
        (student, f"/app/me/classes/{school.class_id}"),
    ):
        first, last = (text_of(client.get(f"{path}?page={page}")) for page in (1, 2))
        assert "51 of 51 lessons" in words_of(first)
        assert "Feb. 20, 2026" in first
        assert "Jan. 1, 2026" not in first
        assert "Jan. 1, 2026" in last


def test_every_cell_of_the_report_leads_to_its_lesson(owner: Client, school: School, lessons: None) -> None:
    html = text_of(owner.get(f"/app/classes/{school.class_id}/reports"))
    for session_id in Session.objects.values_list("id", flat=True):
        assert html.count(f'href="/app/sessions/{session_id}/"') == 3  # in the numbers, in the headings, in the cell


def test_a_report_of_other_days_has_other_lessons(owner: Client, school: School, lessons: None) -> None:
    path = f"/app/classes/{school.class_id}/reports"
    assert "no finished lesson in these days" in text_of(owner.get(f"{path}?until=2020-01-01"))
    assert "in 4 lessons" in words_of(text_of(owner.get(f"{path}?since=2020-01-01")))
    assert "Enter a valid date." in text_of(owner.get(f"{path}?since=yesterday"), 400)
    for kind in ("csv", "xlsx"):
        text_of(owner.get(f"{path}.{kind}?since=yesterday"), 400)


def test_the_report_is_a_file_in_which_no_name_is_a_formula(owner: Client, school: School, lessons: None) -> None:
    User.objects.filter(pk=school.student.pk).update(name="=1+1")
    path = f"/app/classes/{school.class_id}/reports"
    csv = owner.get(f"{path}.csv")
    assert csv["Content-Disposition"] == 'attachment; filename="Physics.csv"'
    assert "no-store" in csv["Cache-Control"]
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


# A list from a file

LIST = "Name;E-Mail;Matrikelnummer\nChen Li;chen@example.com;7B-4\nDalia;dalia@example.com;7B-5\nNobody;no address;\n"


def upload(client: Client, school: School, text: str = LIST, **more: str) -> Any:
    file = SimpleUploadedFile("7b.csv", text.encode())
    return client.post(f"/app/classes/{school.class_id}/import", {"file": file, **more})


def fields_of(html: str) -> dict[str, str]:
    """What the preview's form brings back."""
    inputs = re.findall(r'<input[^>]* name="([^"]+)"[^>]* value="([^"]*)"', html)
    return {name: unescape(value) for name, value in inputs if name not in ("csrfmiddlewaretoken", "names_differ")}


def test_what_a_file_is_taken_for_and_why_it_is_not_read_is_told_in_the_readers_language(
    owner: Client, school: School
) -> None:
    path, german = f"/app/classes/{school.class_id}/import", {"Accept-Language": "de"}
    html = text_of(owner.post(path, {"file": SimpleUploadedFile("7b.csv", LIST.encode())}, headers=german))
    assert "eine Liste von Schülerinnen und Schülern (CSV, UTF-8" in words_of(html)
    html = text_of(owner.post(path, {"file": SimpleUploadedFile("7b.csv", b"name,email\n")}, headers=german), 400)
    assert "7b.csv: Es gibt Überschriften, aber niemanden darunter." in words_of(html)


def test_a_list_whose_headings_nobody_knows_is_read_by_the_columns_that_the_teacher_names(
    owner: Client, school: School
) -> None:
    text = "Pupil;Contact;Nr\nChen Li;chen@example.com;7B-4\n"
    path, refused = f"/app/classes/{school.class_id}/import", text_of(upload(owner, school, text), 400)
    assert "“Pupil | Contact | Nr”" in refused
    assert "7b.csv The file is still here." in words_of(refused)
    named = {"column_name": "Pupil", "column_email": "Contact", "column_roll_number": "Nr"}
    assert "Write beside each column which heading it has there" in refused
    assert named.keys() <= set(re.findall(r'name="([^"]+)"', refused))
    wrong = text_of(owner.post(path, {**fields_of(refused), **named, "column_name": "Pupils"}), 400)
    assert 'value="Pupils"' in wrong
    html = text_of(owner.post(path, {**fields_of(wrong), **named}))
    assert "new, and on the list 1" in words_of(html)
    assert owner.post(path, {**fields_of(html), "do": "1"}).status_code == 302
    assert User.objects.get(email="chen@example.com").roll_number == "7B-4"


def test_a_list_that_is_not_utf_8_is_read_by_the_encoding_that_the_teacher_chooses(
    owner: Client, school: School
) -> None:
    path = f"/app/classes/{school.class_id}/import"

    def send(**more: str) -> Any:
        file = SimpleUploadedFile("7b.csv", "Name;E-Mail\nZoë Peña;zoe@example.com\n".encode("windows-1252"))
        return owner.post(path, {"file": file, **more})

    for refused in (text_of(send(), 400), text_of(send(encoding="klingon"), 400)):
        assert "In a spreadsheet, save the file as “CSV UTF-8”." in refused
        assert "--encoding" not in refused
    wrong = text_of(owner.post(path, {**fields_of(refused), "encoding": "shift_jis"}), 400)
    html = text_of(owner.post(path, {**fields_of(wrong), "encoding": "windows-1252"}))
    assert "Zoë Peña" in html
    again = text_of(owner.post(path, fields_of(html)))  # "Look again"
    assert owner.post(path, {**fields_of(again), "do": "1"}).status_code == 302
    assert User.objects.get(email="zoe@example.com").name == "Zoë Peña"


def test_a_file_that_was_refused_is_its_senders_for_that_class_and_nothing_is_done_by_it(
    owner: Client, school: School
) -> None:
    path = f"/app/classes/{school.class_id}/import"
    refused = fields_of(text_of(upload(owner, school, "Pupil;Contact\nChen Li;chen@example.com\n"), 400))
    named = {"column_name": "Pupil", "column_email": "Contact"}
    other = Class.objects.create(name="Biology", teacher=school.owner)
    elsewhere = text_of(owner.post(f"/app/classes/{other.id}/import", {**refused, **named}), 400)
    assert "Choose the file once more." in elsewhere
    office = signed_in(make_user("Boss", "teacher", is_superuser=True))
    assert "Choose the file once more." in text_of(office.post(path, {**refused, **named}), 400)
    assert "Pupil | Contact" in text_of(owner.post(path, {**refused, "do": "1"}), 400)
    readable = Preview.objects.get()
    readable.content = readable.content.replace('"named": {}', '"named": {"name": "Pupil", "email": "Contact"}')
    readable.save()
    done = owner.post(path, {**refused, "do": "1"})
    assert (done.status_code, school.physics.students.count()) == (412, 1), "it is shown before it is done"


def test_a_list_is_shown_row_by_row_and_then_imported_as_it_was_shown(owner: Client, school: School) -> None:
    html = text_of(upload(owner, school))
    said = words_of(html)
    assert "new, and on the list 2" in said
    assert "cannot be taken 1" in said
    assert "1 row that cannot be taken is left out." in said
    assert not User.objects.filter(email="chen@example.com").exists()
    done = owner.post(f"/app/classes/{school.class_id}/import", {**fields_of(html), "do": "1"})
    assert "2 students are new on the list." in follow(owner, done)
    assert set(school.physics.students.values_list("name", flat=True)) == {"Student", "Chen Li", "Dalia"}


def test_what_changed_since_the_preview_is_shown_before_anything_is_written(owner: Client, school: School) -> None:
    html = text_of(upload(owner, school))
    make_user("Chen")  # somebody who has nothing to do with it
    User.objects.filter(name="Chen").update(email="chen@example.com", email_key="chen@example.com")
    again = owner.post(f"/app/classes/{school.class_id}/import", {**fields_of(html), "do": "1"})
    assert again.status_code == 412
    assert "Something has changed meanwhile." in again.content.decode()
    assert school.physics.students.count() == 1
    done = owner.post(f"/app/classes/{school.class_id}/import", {**fields_of(again.content.decode()), "do": "1"})
    assert done.status_code == 302


def test_columns_are_named_by_hand_where_the_guess_is_wrong(owner: Client, school: School) -> None:
    text = "Name,Contact,Email\nChen Li,chen@example.com,parents@example.com\n"
    html = text_of(upload(owner, school, text))
    assert "parents@example.com" in html
    fields = {**fields_of(html), "column_email": "Contact"}
    again = text_of(owner.post(f"/app/classes/{school.class_id}/import", fields))
    assert "<bdi>chen@example.com</bdi>" in again


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("x.pdf", b"%PDF-1.7 ...", "This is a PDF document"),
        ("x.csv", b"", "The submitted file is empty."),
        ("x.csv", b"one,two\n1,2\n", "There is no column for the name"),
    ],
)
def test_a_file_of_the_wrong_kind_is_said_what_it_is(
    owner: Client, school: School, name: str, data: bytes, said: str
) -> None:
    answer = owner.post(f"/app/classes/{school.class_id}/import", {"file": SimpleUploadedFile(name, data)})
    html = text_of(answer, 400)
    assert said in unescape(html)
    assert "--column" not in html


def test_a_preview_that_was_done_or_is_somebody_elses_is_asked_for_again(owner: Client, school: School) -> None:
    fields = fields_of(text_of(upload(owner, school)))
    path = f"/app/classes/{school.class_id}/import"
    assert owner.post(path, {**fields, "do": "1"}).status_code == 302
    for token in (fields["token"], "!"):
        again = text_of(owner.post(path, {"token": token, "do": "1"}), 400)
        assert "Choose the file once more." in again
    assert school.physics.students.count() == 3


def test_hostile_cells_are_text_in_the_preview(owner: Client, school: School) -> None:
    html = text_of(upload(owner, school, 'name,email\n"<img src=x onerror=alert(1)>",a@example.com\n'))
    assert "<img" not in html
    assert "&lt;img" in html


# Marks from a file

MARKS = "E-Mail;Status;Note\nstudent@example.com;late;bus\nnobody@example.com;P;\n"


def send_marks(client: Client, session_id: str, text: str = MARKS) -> Any:
    return client.post(f"/app/sessions/{session_id}/import", {"file": SimpleUploadedFile("monday.csv", text.encode())})


def test_marks_from_a_file_are_shown_line_by_line_and_then_made(owner: Client, school: School) -> None:
    session_id = school.start_session()
    assert f"/app/sessions/{session_id}/import" in text_of(owner.get(f"/app/sessions/{session_id}/"))
    html = text_of(send_marks(owner, session_id))
    said = words_of(html)
    assert "taken over 1" in said
    assert "nobody in the class has the e-mail nobody@example.com" in said
    assert not Mark.objects.exists()
    done = owner.post(f"/app/sessions/{session_id}/import", {**fields_of(html), "do": "1"})
    assert "1 student is marked." in follow(owner, done)
    assert list(Mark.objects.values_list("status", "method", "note")) == [(Status.LATE, Method.IMPORT, "bus")]
    again = owner.post(f"/app/sessions/{session_id}/import", {**fields_of(html), "do": "1"})
    assert "Choose the file once more." in text_of(again, 400)


def test_after_the_lesson_marks_from_a_file_are_corrections_with_a_reason(owner: Client, school: School) -> None:
    school.finish_session()
    session_id = Session.objects.get().id
    assert f"/app/sessions/{session_id}/import" in text_of(owner.get(f"/app/sessions/{session_id}/"))
    html = text_of(send_marks(owner, session_id, MARKS.replace("bus", "")))
    path, fields = f"/app/sessions/{session_id}/import", {**fields_of(html), "do": "1"}
    again = text_of(owner.post(path, {**fields, "reason": " "}), 400)
    assert "say why its records are corrected" in again
    done = owner.post(path, {**fields_of(again), "do": "1", "reason": "from the paper list"})
    assert done.status_code == 302
    assert Attendance.objects.get().status == Status.LATE
    assert Mark.objects.get(method=Method.CORRECTION).note == "from the paper list"


def test_a_file_without_statuses_and_a_column_named_by_hand(owner: Client, school: School) -> None:
    session_id = school.start_session()
    text = "E-Mail;Seen\nstudent@example.com;P\n"
    refused = text_of(send_marks(owner, session_id, text), 400)
    assert "There are no columns for the roll number" in unescape(refused)
    path = f"/app/sessions/{session_id}/import"
    html = text_of(owner.post(path, {**fields_of(refused), "column_status": "Seen"}))
    assert "taken over 1" in words_of(html)
    html = text_of(send_marks(owner, session_id, text.replace("Seen", "Status")))
    named = {**fields_of(html), "column_status": "E-Mail"}
    assert "is no status" in text_of(owner.post(f"/app/sessions/{session_id}/import", named))
