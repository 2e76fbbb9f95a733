"""Two accounts of one student become one, and apart again."""

import threading
from collections.abc import Callable
from datetime import date, timedelta
from functools import partial
from typing import Any

import pytest
from django.db import connection

from accounts import tokens
from accounts.models import StudentProfile, User
from attendance import merging, services
from attendance.class_report import class_report
from attendance.corrections import record_history
from attendance.enums import Method, Status
from attendance.erasure import person_erase
from attendance.folding import last_marks
from attendance.live.requests import session_mark
from attendance.marking import Wanted
from attendance.merging import merge_undo, students_merge
from attendance.models import Attendance, CheckInDevice, Excuse, Flag, Mark, Merge, Session
from attendance.services import record_correct
from audit.trail import prune_all
from classes.models import Class, Enrolment, SetAside
from core import errors
from core.times import now, today
from notices.models import Due
from tests.api.rest import make_user
from tests.services.conftest import Room, at_once, commit_marks, make_room, new_mark

pytestmark = pytest.mark.django_db(transaction=True)

#: What holds of the status of the account that is kept, and of the other one's.
CASES = [
    ("absent", "present", "present"),
    ("present", "absent", "present"),
    ("excused", "late", "late"),
    ("late", "present", "present"),
    ("absent", "excused", "excused"),
    ("absent", "absent", "absent"),
]


@pytest.fixture
def room() -> Room:
    """A class with a student who has two accounts, and with a classmate."""
    return make_room(students=3)


@pytest.fixture
def office() -> User:
    return make_user("Office", "teacher", is_superuser=True)


def lesson(room: Room, *statuses: str | None) -> Session:
    """An ended lesson in which the students had these statuses, in their order; None is no mark."""
    session = room.start()
    marks = [new_mark(room, session, at, status) for at, status in enumerate(statuses) if status]
    if marks:
        commit_marks(marks)
    return services.session_end(session_id=session.id)


def merge(room: Room, office: User) -> Merge:
    keep, other = room.students[:2]
    return students_merge(by_id=office.id, keep_id=keep.id, other_id=other.id)


def statuses(student: User) -> list[str]:
    return list(Attendance.objects.filter(student=student).order_by("session_id").values_list("status", flat=True))


def state() -> dict[str, Any]:
    """All that a merge touches, but for the journal's own corrections and what rises with each change."""
    rises = {"updated_at", "token_version", "credentials_changed_at", "holds"}
    found: dict[str, Any] = {}
    for model in (User, StudentProfile, Enrolment, SetAside, Attendance, CheckInDevice, Excuse, Flag):
        rows: Any = model._base_manager.order_by("pk").values()
        found[model.__name__] = [{name: row[name] for name in row.keys() - rises} for row in rows]
    marks = Mark.objects.exclude(method=Method.CORRECTION).order_by("session_id", "seq")
    found["Mark"] = list(marks.values("id", "student_id", "status", "seq", "note"))
    found["Session"] = list(Session.objects.order_by("id").values("id", "present_count", "absent_count", "state"))
    return found


@pytest.mark.parametrize(("kept", "other", "holds"), CASES)
def test_of_two_records_of_one_session_the_better_one_holds_in_the_record_the_counts_and_the_journal(
    room: Room, office: User, kept: str, other: str, holds: str
) -> None:
    session = lesson(room, kept, other, "present")
    merge(room, office)
    assert statuses(room.students[0]) == [holds]
    assert statuses(room.students[1]) == []
    assert last_marks(session.id)[room.students[0].id].status == holds
    session.refresh_from_db()
    assert session.present_count == (2 if holds in ("present", "late") else 1)
    assert session.absent_count == 2 - session.present_count
    record = Attendance.objects.get(student=room.students[0])
    assert record_history(record)[-1]["status"] == holds


def test_a_mark_of_one_account_holds_against_the_absence_that_only_the_end_wrote(room: Room, office: User) -> None:
    lesson(room, None, "present")
    lesson(room, "late", None)
    merge(room, office)
    assert statuses(room.students[0]) == ["present", "late"]
    assert not Mark.objects.filter(method=Method.CORRECTION).exists()


def test_everything_moves_and_an_undo_brings_it_all_back(room: Room, office: User) -> None:
    keep, other, classmate = room.students
    lesson(room, "absent", "present")
    lesson(room, "present", None)
    art = Class.objects.create(name="Art", teacher=room.teacher)
    Enrolment.objects.create(class_ref=art, student=other, since=date(2026, 1, 1))
    session = Session.objects.latest("id")
    CheckInDevice.objects.create(session=session, device="phone", student=other)
    Flag.objects.create(session=session, student=other, kind=Flag.Kind.OUT_OF_RANGE, metres=1)
    Flag.objects.create(session=session, student=classmate, kind=Flag.Kind.OTHER_DEVICE, other=other)
    Excuse.objects.create(student=other, since=now(), until=now(), whole_days=False, note="ill")
    SetAside.objects.create(class_ref=art, student=other)
    StudentProfile.objects.create(user=keep, batch="2026")
    StudentProfile.objects.create(user=other, batch="2025", phone="+49 30 555")
    User.objects.filter(pk=other.id).update(roll_number="R-1")
    before = state()
    made = merge(room, office)

    for model in (Attendance, Enrolment, CheckInDevice, Excuse, SetAside):
        assert not model._base_manager.filter(student=other).exists(), model
    assert not Mark.objects.filter(student=other).exists()
    assert Flag.objects.filter(student=keep).count() == Flag.objects.filter(other=keep).count() == 1
    assert set(Enrolment.objects.filter(student=keep).values_list("class_ref__name", flat=True)) == {"Physics", "Art"}
    keep.refresh_from_db()
    assert keep.roll_number == "R-1"
    profile = StudentProfile.objects.get(user=keep)
    assert (profile.batch, profile.phone) == ("2026", "+49 30 555")

    merge_undo(by_id=office.id, merge_id=made.id)
    assert state() == before
    assert not Merge.objects.exists()


def test_the_journal_says_after_an_undo_what_the_records_say(room: Room, office: User) -> None:
    session = lesson(room, "absent", "present")
    merge_undo(by_id=office.id, merge_id=merge(room, office).id)
    marks = last_marks(session.id)
    assert [marks[student.id].status for student in room.students[:2]] == ["absent", "present"]
    seqs = list(Mark.objects.filter(session=session).order_by("seq").values_list("seq", flat=True))
    session.refresh_from_db()
    assert seqs == list(range(1, session.last_seq + 1))


def test_enrolments_of_one_class_become_one_with_all_of_their_days(room: Room, office: User) -> None:
    keep, other = room.students[:2]
    Enrolment.objects.filter(student=keep).update(since=date(2026, 9, 1), until=today())
    Enrolment.objects.filter(student=other).update(since=date(2026, 3, 1), until=None)
    merge(room, office)
    (enrolment,) = Enrolment.objects.filter(student__in=[keep, other])
    assert (enrolment.student_id, enrolment.since, enrolment.until) == (keep.id, date(2026, 3, 1), None)


def test_nobody_signs_in_as_the_other_account_until_the_undo(room: Room, office: User) -> None:
    other = User.objects.get(pk=room.students[1].id)
    token = tokens.issue(other)
    made = merge(room, office)
    with pytest.raises(errors.Unauthorized):
        tokens.authenticate(token)
    merge_undo(by_id=office.id, merge_id=made.id)
    assert User.objects.get(pk=other.id).is_active
    tokens.authenticate(tokens.issue(User.objects.get(pk=other.id)))


def test_what_was_changed_after_the_merge_stays(room: Room, office: User) -> None:
    keep, other = room.students[:2]
    lesson(room, "absent", "present")
    made = merge(room, office)
    record = Attendance.objects.get(student=keep)
    record_correct(by_id=office.id, record_id=record.id, status=Status.EXCUSED, note="asked")
    User.objects.filter(pk=keep.id).update(name="Another")
    merge_undo(by_id=office.id, merge_id=made.id)
    assert (statuses(keep), statuses(other)) == (["excused"], ["present"])
    assert User.objects.get(pk=keep.id).name == "Another"


def test_a_session_that_was_voided_meanwhile_gets_no_record_back(room: Room, office: User) -> None:
    session = lesson(room, "absent", "present")
    made = merge(room, office)
    services.session_void(actor=room.actor, session_id=session.id)
    merge_undo(by_id=office.id, merge_id=made.id)
    assert not Attendance.objects.exists()


def test_an_address_moves_to_an_account_without_one_only_if_it_is_known_to_be_the_students(
    room: Room, office: User
) -> None:
    keep, other = room.students[:2]
    User.objects.filter(pk=keep.id).update(email="", roll_number="R-2")
    User.objects.filter(pk=other.id).update(origin="self")
    made = merge(room, office)
    assert User.objects.get(pk=keep.id).email == ""
    merge_undo(by_id=office.id, merge_id=made.id)
    User.objects.filter(pk=other.id).update(email_verified_at=now())
    made = merge(room, office)
    assert User.objects.by_email(other.email) == keep
    merge_undo(by_id=office.id, merge_id=made.id)
    assert User.objects.by_email(other.email) == other


def test_merges_are_refused_in_an_open_session_of_one_account_and_of_others(room: Room, office: User) -> None:
    keep, other, third = room.students
    teacher = room.teacher
    for wrong in (keep.id, "f" * 24, "no id", teacher.id):
        with pytest.raises((errors.InvalidSchema, errors.StudentNotFound)):
            students_merge(by_id=office.id, keep_id=keep.id, other_id=wrong)
    session = room.start()
    with pytest.raises(errors.StudentInSession):
        merge(room, office)
    services.session_end(session_id=session.id)
    first = merge(room, office)
    for one, two in ((keep.id, other.id), (other.id, third.id), (third.id, other.id)):
        with pytest.raises(errors.AlreadyMerged):
            students_merge(by_id=office.id, keep_id=one, other_id=two)
    second = students_merge(by_id=office.id, keep_id=third.id, other_id=keep.id)
    with pytest.raises(errors.MergedAgain):
        merge_undo(by_id=office.id, merge_id=first.id)
    session = room.start()
    with pytest.raises(errors.StudentInSession):
        merge_undo(by_id=office.id, merge_id=second.id)
    services.session_end(session_id=session.id)
    merge_undo(by_id=office.id, merge_id=second.id)
    merge_undo(by_id=office.id, merge_id=first.id)
    with pytest.raises(errors.MergeNotFound):
        merge_undo(by_id=office.id, merge_id=first.id)


def test_a_merge_is_forgotten_after_thirty_days(room: Room, office: User) -> None:
    made = merge(room, office)
    Merge.objects.update(at=now() - timedelta(days=30))
    with pytest.raises(errors.MergeNotFound):
        merge_undo(by_id=office.id, merge_id=made.id)
    prune_all()
    assert not Merge.objects.exists()


def test_of_two_who_merge_at_once_one_does(room: Room, office: User) -> None:
    lesson(room, "absent", "present")
    keep, other = room.students[:2]

    def one_way() -> Merge:
        return students_merge(by_id=office.id, keep_id=keep.id, other_id=other.id)

    def the_other_way() -> Merge:
        return students_merge(by_id=office.id, keep_id=other.id, other_id=keep.id)

    outcomes = at_once([one_way, the_other_way])
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["AlreadyMerged", "Merge"]
    assert sorted(map(len, (statuses(keep), statuses(other)))) == [0, 1]


def start_and_mark(room: Room) -> Session:
    """A session of the class is opened, and in it the account is marked that a merge takes away."""
    session = room.start()
    wanted = [Wanted(room.students[1].id, Status.PRESENT)]
    session_mark(actor=room.actor, session=session, marks=wanted, method=Method.TEACHER)
    return session


def is_one_after_the_other(room: Room, merged: object, started: object) -> bool:
    """Whether the merge came first, so that the account is not on the roster, or was refused by an open session."""
    marked = Mark.objects.filter(student=room.students[1]).count()
    if isinstance(merged, Merge):
        return isinstance(started, errors.StudentNotEnrolled) and marked == 0
    return isinstance(merged, errors.StudentInSession) and isinstance(started, Session) and marked == 1


def test_of_a_merge_and_a_start_at_once_one_comes_first(room: Room, office: User) -> None:
    outcomes = at_once([lambda: merge(room, office), lambda: start_and_mark(room)])
    assert is_one_after_the_other(room, *outcomes), outcomes


def waits_for_a_lock() -> bool:
    """Whether some statement waits for another transaction of this database."""
    with connection.cursor() as cursor:
        waiting = "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        cursor.execute(waiting)
        return cursor.fetchone() is not None


@pytest.mark.skipif(connection.vendor != "postgresql", reason="PostgreSQL alone tells who waits for whom.")
@pytest.mark.parametrize("first", ["merge", "start"])
def test_what_begins_in_the_midst_of_the_other_waits_for_its_end(
    room: Room, office: User, monkeypatch: pytest.MonkeyPatch, first: str
) -> None:
    begun, done = threading.Event(), threading.Event()
    module, name = (merging, "_sessions_of") if first == "merge" else (services, "_apply_excuses")
    work = getattr(module, name)

    def held(argument: Any) -> Any:
        begun.set()
        while not (done.is_set() or waits_for_a_lock()):
            pass
        return work(argument)

    monkeypatch.setattr(module, name, held)
    works = {"merge": lambda: merge(room, office), "start": lambda: start_and_mark(room)}

    def late(work: Callable[[], object]) -> object:
        begun.wait()
        try:
            return work()
        finally:
            done.set()

    ordered = {key: work if key == first else partial(late, work) for key, work in works.items()}
    outcomes = at_once(list(ordered.values()))
    assert is_one_after_the_other(room, *outcomes), outcomes
    assert isinstance(outcomes[0], Merge) == (first == "merge")


def test_a_report_counts_the_student_once_and_notices_look_again(room: Room, office: User) -> None:
    lesson(room, "present", "absent", "present")
    Due.objects.all().delete()
    merge(room, office)
    report = class_report(class_id=room.class_id)
    assert {line.id for line in report.students} == {room.students[0].id, room.students[2].id}
    assert Due.objects.count() == 1


def test_an_erasure_of_a_merged_student_takes_the_other_account_along(room: Room, office: User) -> None:
    keep, other = room.students[:2]
    merge(room, office)
    person_erase(user_id=keep.id)
    assert {User.objects.get(pk=user.id).name for user in (keep, other)} == {"Erased person"}
    assert not Merge.objects.exists()
