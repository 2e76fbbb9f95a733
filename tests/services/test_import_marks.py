"""`manage.py import_marks` takes a session's marks from a file, all or none."""

import io
from pathlib import Path

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from accounts.selectors import actor_of
from attendance.enums import Method
from attendance.models import Attendance, Mark, Session
from attendance.services import session_end, session_open
from audit.models import Entry
from tests.dialects.v2.rest import School

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def session() -> Session:
    school = School()
    return session_open(actor=actor_of(school.owner), found=school.physics, move_focus=False)[0]


def run(session: Session, path: Path, **options: object) -> str:
    out = io.StringIO()
    call_command("import_marks", str(session.pk), str(path), stdout=out, **options)
    return out.getvalue()


def file(folder: Path, text: str) -> Path:
    path = folder / "marks.csv"
    path.write_text(text)
    return path


def test_a_dry_run_says_what_every_line_would_do_and_a_run_does_it(session: Session, tmp_path: Path) -> None:
    path = file(tmp_path, "roll number,status,note\n1,late,bus\n2,P,\n")
    said = run(session, path, dry_run=True)
    assert "Columns: roll number from “roll number”, status from “status”, note from “note”." in said
    assert "line 2: Ann: marked, no status → late" in said
    assert "2 lines: 2 marked, 0 marked so already, 0 left out, 0 refused." in said
    assert not Mark.objects.exists()
    run(session, path)
    marks = Mark.objects.order_by("seq").values_list("status", "method", "note")
    assert list(marks) == [("late", Method.IMPORT, "bus"), ("present", Method.IMPORT, "")]
    assert "1 marked, 1 marked so already" in run(session, path, dry_run=True)  # a note makes a new mark


def test_with_a_refused_line_nothing_is_written(session: Session, tmp_path: Path) -> None:
    path = file(tmp_path, "roll number,status\n1,late\n9,P\n")
    with pytest.raises(CommandError, match="1 of 2 lines is refused"):
        run(session, path)
    assert not Mark.objects.exists()


def test_an_ended_session_asks_for_a_reason(session: Session, tmp_path: Path) -> None:
    session_end(session_id=session.pk)
    path = file(tmp_path, "E-Mail;Status\nann@example.com;present\n")
    with pytest.raises(CommandError, match="--reason"):
        run(session, path)
    run(session, path, reason="the paper list")
    assert Attendance.objects.get(session=session, student__name="Ann").status == "present"
    assert Mark.objects.get().note == "the paper list"
    assert Entry.objects.filter(way="manage.py import_marks", thing=session.pk).exists()


def test_wrong_arguments_are_said(session: Session, tmp_path: Path) -> None:
    path = file(tmp_path, "roll number,status\n1,P\n")
    with pytest.raises(CommandError, match="No session has the id"):
        call_command("import_marks", "f" * 24, str(path))
    with pytest.raises(CommandError, match="names no column"):
        run(session, path, column=["shoe=Size"])
    with pytest.raises(CommandError, match="There is no file"):
        run(session, tmp_path / "none.csv")
