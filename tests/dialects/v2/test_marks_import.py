"""A session's marks from a file by `/api/v2`: shown line by line first, and done then as they were shown."""

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.selectors import actor_of
from attendance.enums import Method
from attendance.models import Attendance, Mark, Session
from attendance.services import session_end, session_open
from core.times import now, to_iso
from tests.dialects.v2.rest import Asking, School, V2Rest, is_refused

pytestmark = pytest.mark.django_db(transaction=True)

FILE = "Class list of Monday,,,\nRoll No.,Status,Remark,Shoe size\n1,late,bus,38\n2,,,\n3,P,,\n1,P,,\n"


@pytest.fixture
def session(school: School) -> Session:
    found, _ = session_open(actor=actor_of(school.owner), found=school.physics, move_focus=False)
    return found


@pytest.fixture
def owner(rest: V2Rest, school: School) -> Asking:
    return rest.as_(school.owner)


def marks(session: Session) -> list[tuple[str, str, str, str]]:
    rows = Mark.objects.filter(session=session).order_by("seq")
    return list(rows.values_list("student__name", "status", "method", "note"))


def test_lines_become_marks_as_they_were_shown_and_once(owner: Asking, session: Session, school: School) -> None:
    path = f"/sessions/{session.id}/import"
    shown = owner.send(path, FILE).data
    assert shown["columns"] == {"rollNumber": "Roll No.", "status": "Status", "note": "Remark"}
    assert (shown["unused"], shown["corrects"]) == (["Shoe size"], False)
    assert [(row["line"], row["outcome"], row["name"], row["status"]) for row in shown["rows"]] == [
        (3, "marked", "Ann", "late"),
        (4, "left_out", "Ben", None),
        (5, "refused", "3", "present"),
        (6, "refused", "Ann", "present"),
    ]
    assert "nobody in the class has the roll number 3" in shown["rows"][2]["reason"]
    assert "same student as line 3" in shown["rows"][3]["reason"]
    assert shown["counts"] == {"marked": 1, "unchanged": 0, "left_out": 1, "refused": 2}
    assert marks(session) == []
    done = owner.post(path, {"token": shown["token"]}).data
    assert (done["token"], done["counts"]["marked"]) == (None, 1)
    assert marks(session) == [("Ann", "late", Method.IMPORT, "bus")]
    is_refused(owner.post(path, {"token": shown["token"]}), 404, "preview_not_found")
    again = owner.send(path, "email,status\nann@example.com,L\n").data
    assert again["counts"]["unchanged"] == 1


def test_what_somebody_marked_meanwhile_is_looked_at_again(owner: Asking, session: Session, school: School) -> None:
    path = f"/sessions/{session.id}/import"
    token = owner.send(path, FILE).data["token"]
    owner.post(f"/sessions/{session.id}/marks", {"marks": [{"studentId": school.ann.id, "status": "excused"}]})
    is_refused(owner.post(path, {"token": token}), 412, "changed")
    assert [status for _, status, *_ in marks(session)] == ["excused"]


def test_a_request_that_died_after_the_marks_is_sent_again_and_marks_nothing_twice(
    owner: Asking, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = f"/sessions/{session.id}/import"
    token = owner.send(path, FILE).data["token"]

    def die(*args: object) -> None:
        raise RuntimeError

    with monkeypatch.context() as patched:
        patched.setattr("attendance.marks_import.preview_take", die)
        assert owner.post(path, {"token": token}).status == 500
    assert owner.post(path, {"token": token}).status == 200
    assert len(marks(session)) == 1


def test_after_the_end_lines_are_corrections_and_need_a_reason(owner: Asking, session: Session, school: School) -> None:
    owner.post(f"/sessions/{session.id}/marks", {"marks": [{"studentId": school.ben.id, "status": "present"}]})
    session_end(session_id=session.id)
    path = f"/sessions/{session.id}/import"
    text = "Email;Anwesenheit;Bemerkung\nann@example.com;entschuldigt;krank\nben@example.com;verspätet;\n"
    shown = owner.send(path, text).data
    assert shown["corrects"] is True
    assert [(row["before"], row["status"]) for row in shown["rows"]] == [("absent", "excused"), ("present", "late")]
    answer = owner.post(path, {"token": shown["token"], "reason": " \u200b"})
    is_refused(answer, 400, "invalid_schema")
    assert list(answer.body["fields"]) == ["reason"]
    assert owner.post(path, {"token": shown["token"], "reason": "paper list"}).status == 200
    records = Attendance.objects.filter(session=session).values_list("student__name", "status", "method")
    assert sorted(records) == [("Ann", "excused", Method.CORRECTION), ("Ben", "late", Method.CORRECTION)]
    assert [note for *_, method, note in marks(session) if method == Method.CORRECTION] == ["krank", "paper list"]
    is_refused(owner.post(path, {"token": shown["token"], "reason": "again"}), 404, "preview_not_found")


def test_a_session_that_ended_since_the_preview_is_looked_at_again(owner: Asking, session: Session) -> None:
    path = f"/sessions/{session.id}/import"
    token = owner.send(path, FILE).data["token"]
    session_end(session_id=session.id)
    is_refused(owner.post(path, {"token": token, "reason": "paper"}), 412, "changed")


def test_a_time_is_the_schools_and_within_the_lesson(owner: Asking, session: Session) -> None:
    began = now() - timedelta(minutes=30)
    Session.objects.filter(pk=session.pk).update(started_at=began)
    path = f"/sessions/{session.id}/import"
    local = timezone.localtime(began)
    inside = (local + timedelta(minutes=5)).replace(second=0, microsecond=0)
    text = (
        "roll number,status,time\n"
        f"1,P,{inside:%Y-%m-%d %H:%M}\n2,P,{to_iso(began - timedelta(minutes=2))}\n"
        f"1,P,{local:%Y-%m-%d %H:%M}\n2,P,25:00\n"
    )
    rows = owner.send(path, text).data["rows"]
    assert rows[0]["at"] == to_iso(inside)
    assert "before the lesson's start" in rows[1]["reason"]
    assert "same student as line 2" in rows[2]["reason"]
    assert "is no time" in rows[3]["reason"]
    later = to_iso(now() + timedelta(hours=2))
    [row] = owner.send(path, f"roll number,status,time\n1,P,{later}\n").data["rows"]
    assert "has not come yet" in row["reason"]


def test_a_file_without_these_columns_says_so_and_columns_are_named_by_hand(owner: Asking, session: Session) -> None:
    path = f"/sessions/{session.id}/import"
    text = "Number,Seen\n1,yes\n2,P\n"
    answer = owner.send(path, text)
    is_refused(answer, 400, "invalid_schema")
    assert "There are no columns for the roll number" in answer.body["fields"]["file"][0]
    rows = owner.send(path, text, columns='{"rollNumber":"Number","status":"Seen"}').data["rows"]
    assert [row["outcome"] for row in rows] == ["refused", "marked"]
    assert "“yes” is no status" in rows[0]["reason"]
    is_refused(owner.send(path, text, columns='{"firstName":"Number"}'), 400, "invalid_schema")
    is_refused(owner.send(path, b"%PDF-1.7"), 400, "invalid_schema")


def test_a_voided_session_takes_no_marks(owner: Asking, session: Session) -> None:
    Session.objects.filter(pk=session.pk).update(state="voided", ended_at=now())
    is_refused(owner.send(f"/sessions/{session.id}/import", FILE), 409, "no_active_session")
