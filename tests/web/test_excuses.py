"""The pages of excuses, without any script: students ask and withdraw, teachers approve or refuse."""

import re
from datetime import timedelta
from typing import Any

import pytest

from accounts.selectors import actor_of
from attendance.enums import ExcuseState
from attendance.excuses import Span, excuse_add, excuse_decide
from attendance.models import Excuse, ExcusedClass, Mark
from classes.models import Class
from core.times import now, today
from tests.api.rest import School
from tests.support.http import Client
from tests.web.people import signed_in, text_of, words_of

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def school(transactional_db: None) -> School:
    return School()


def asked(school: School, note: str = "at the doctor's") -> Excuse:
    made = excuse_add(actor=actor_of(school.student), span=Span(today(), today()), note=note)
    return made.excuse


def choices(html: str) -> dict[str, dict[str, str]]:
    """The path of each form of a list → what its buttons send, by their words, with what the reader saw."""
    found: dict[str, dict[str, str]] = {}
    for path, form in re.findall(r'(?s)<form method="post" action="(/app/excuses/\w+)"[^>]*>(.*?)</form>', html):
        seen = re.search(r'name="seen" value="([^"]*)"', form)
        assert seen is not None
        found[path] = dict.fromkeys(re.findall(r'name="state" value="(\w+)"', form), seen[1])
    return found


def press(client: Client, html: str, state: str) -> Any:
    """Presses the button of the only excuse of a page."""
    [(path, buttons)] = choices(html).items()
    return client.post(path, {"state": state, "seen": buttons[state]})


def said_after(client: Client, answer: Any) -> str:
    assert answer.status_code == 302, answer.content
    return words_of(text_of(client.get(answer["Location"])))


def test_a_student_in_no_class_is_not_offered_to_announce_an_absence(school: School) -> None:
    page = text_of(signed_in(school.other_student).get("/app/excuses/"))
    assert "You are in no class yet." in page
    assert 'name="note"' not in page


def test_a_student_whose_classes_are_all_archived_is_not_offered_to_announce_an_absence(
    school: School, student: Client
) -> None:
    assert "All my classes" in text_of(student.get("/app/excuses/"))
    Class.objects.update(archived_at=now())
    assert "All my classes" not in text_of(student.get("/app/excuses/"))


def test_a_student_asks_and_the_teacher_approves_and_the_next_lesson_knows(
    school: School, owner: Client, student: Client
) -> None:
    day = str(today())
    answer = student.post("/app/excuses/", {"class_id": "", "since": day, "until": day, "note": "at the doctor's"})
    assert "Your teachers are asked." in said_after(student, answer)
    assert "1 excuse waits for you." in text_of(owner.get("/app/"))
    waiting = text_of(owner.get("/app/excuses/"))
    assert "Student" in words_of(waiting)
    assert "at the doctor's" in words_of(waiting).replace("&#x27;", "'")
    assert "Approved." in said_after(owner, press(owner, waiting, "approved"))
    assert "Nothing waits for you." in text_of(owner.get("/app/excuses/"))
    assert "waits for you" not in text_of(owner.get("/app/"))
    assert "Approved" in words_of(text_of(owner.get("/app/excuses/?all=1")))
    assert "Approved at the doctor" in words_of(text_of(student.get("/app/excuses/")))
    school.start_session()
    assert Mark.objects.get().status == "excused"


def test_a_student_withdraws_and_nobody_decides_any_more(school: School, owner: Client, student: Client) -> None:
    asked(school)
    seen = text_of(owner.get("/app/excuses/"))
    mine = text_of(student.get("/app/excuses/"))
    assert "Withdrawn." in said_after(student, press(student, mine, "withdrawn"))
    assert choices(text_of(student.get("/app/excuses/"))) == {}
    assert "You have withdrawn this excuse already." in said_after(student, press(student, mine, "withdrawn"))
    assert "The student has withdrawn this excuse." in said_after(owner, press(owner, seen, "approved"))
    assert ExcusedClass.objects.get().state == ExcuseState.ASKED


def test_of_two_teachers_who_decide_the_second_is_told_of_the_first(school: School, owner: Client) -> None:
    made = asked(school)
    seen = text_of(owner.get("/app/excuses/"))
    excuse_decide(actor=actor_of(school.owner), excuse_id=made.id, state=ExcuseState.REFUSED)
    assert "Somebody else has changed this meanwhile." in said_after(owner, press(owner, seen, "approved"))
    assert ExcusedClass.objects.get().state == ExcuseState.REFUSED
    again = text_of(owner.get("/app/excuses/?all=1"))
    assert "Approved." in said_after(owner, press(owner, again, "approved"))


def test_hours_of_a_day_are_announced_for_one_class(school: School, student: Client) -> None:
    day = today() + timedelta(days=1)
    form = {"class_id": school.class_id, "since": str(day), "until": str(day), "since_at": "09:00", "note": "x"}
    html = text_of(student.post("/app/excuses/", form), 400)
    assert "Say both times, or none." in html
    assert 'value="x"' in html
    student.post("/app/excuses/", {**form, "until_at": "10:30"})
    made = Excuse.objects.get()
    assert (made.whole_days, made.until - made.since) == (False, timedelta(minutes=90))


@pytest.mark.parametrize(("since", "until"), [(1, 0), (-3, -2), (0, 400)])
def test_days_that_cannot_be_come_back_with_what_was_typed(student: Client, since: int, until: int) -> None:
    days = {"since": str(today() + timedelta(days=since)), "until": str(today() + timedelta(days=until))}
    html = text_of(student.post("/app/excuses/", {**days, "note": "ill"}), 400)
    assert "The end has to be after the beginning" in html
    assert f'value="{days["since"]}"' in html
    assert not Excuse.objects.exists()


def test_who_is_in_no_class_is_told_so_and_a_class_of_others_cannot_be_named(school: School) -> None:
    client = signed_in(school.other_student)
    form = {"since": str(today()), "until": str(today()), "note": "ill"}
    assert "You are in no class in these days." in text_of(client.post("/app/excuses/", form), 400)
    text_of(client.post("/app/excuses/", {**form, "class_id": school.class_id}), 400)
    assert not Excuse.objects.exists()


def test_others_see_nothing_of_an_excuse_and_cannot_decide(school: School, student: Client) -> None:
    made = asked(school)
    for other in (signed_in(school.other_teacher), signed_in(school.other_student)):
        assert "doctor" not in text_of(other.get("/app/excuses/?all=1"))
        assert other.post(f"/app/excuses/{made.id}", {"state": "approved"}).status_code == 404
    assert student.post(f"/app/excuses/{made.id}", {"state": "approved"}).status_code == 403
    assert student.post(f"/app/excuses/{made.id}", {"state": "nonsense"}).status_code == 400


def test_a_note_of_a_hostile_student_is_text(school: School, owner: Client) -> None:
    asked(school, '<img src=x onerror="alert(1)">')
    html = text_of(owner.get("/app/excuses/"))
    assert "<img" not in html
    assert "&lt;img" in html


def test_an_excuse_of_the_past_waits_for_nobody(school: School, owner: Client) -> None:
    made = asked(school)
    Excuse.objects.update(since=made.since - timedelta(days=9), until=made.since)
    assert "Nothing waits for you." in text_of(owner.get("/app/excuses/"))
    assert choices(text_of(owner.get("/app/excuses/?all=1"))) == {}
