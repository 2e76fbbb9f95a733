"""A student who checks in twice at once is in once, and a check-in that looks wrong is flagged before it counts."""

import contextvars
from collections import Counter
from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from accounts import limits
from attendance import check_ins
from attendance.check_in import Answer, CheckInOptions, Circle, Mode, Place
from attendance.check_in_rules import check_in_at
from attendance.check_ins import Done, Where, check_in_by_claim, check_in_by_code, check_in_open
from attendance.models import Flag, Mark, Session
from core import errors, times
from core.times import now
from tests.services.conftest import Room, actor_of, at_once, make_room

pytestmark = pytest.mark.django_db(transaction=True)

HERE, FAR = Place(48.8584, 2.2945), Place(48.87, 2.2945)


@pytest.fixture
def room() -> Room:
    return make_room(1)


def enter(room: Room, session: Session, place: Place | None = None) -> Any:
    (code,) = check_in_at(session, now()).good_codes(now())
    where = Where(place, "a phone", "127.0.0.1")
    return partial(check_in_by_code, actor=actor_of(room.students[0]), code=code, where=where)


def test_of_many_requests_of_one_student_at_once_one_makes_a_mark_and_its_flag(room: Room) -> None:
    session = room.start()
    circle = Circle(HERE, 50)
    options = CheckInOptions(Mode.FIXED, circle, outside=Answer.FLAG)
    check_in_open(session_id=session.id, options=options)
    outcomes: list[Any] = at_once([enter(room, session, FAR)] * 4)
    assert [(outcome.status, list(outcome.flags)) for outcome in outcomes] == [("present", ["out_of_range"])] * 4
    assert Mark.objects.count() == Flag.objects.count() == 1
    again = enter(room, session, FAR)()
    assert (again.status, list(again.flags)) == ("present", ["out_of_range"])


def test_whoever_was_unmarked_checks_in_again(room: Room) -> None:
    session = room.start()
    check_in_open(session_id=session.id, options=CheckInOptions(Mode.FIXED))
    for count in (1, 3):
        enter(room, session)()
        assert Mark.objects.count() == count
        check_ins._unmark(room.actor, session.id, room.students[0].id)


def test_a_code_is_good_that_was_shown_when_the_request_arrived_however_long_it_waited_for_its_turn(room: Room) -> None:
    session = room.start()
    rules = check_in_open(session_id=session.id, options=CheckInOptions(Mode.ROTATING))
    before = now() - timedelta(minutes=1)
    student, code = actor_of(room.students[0]), rules.code_at(before)
    where = Where(None, "a phone", "127.0.0.1")
    for enter_late in (
        lambda: check_ins.claim_make(session_id=session.id, code=code, address="127.0.0.1"),
        lambda: check_in_by_code(actor=student, code=code, where=where),
    ):
        with pytest.raises(errors.WrongCode):
            enter_late()
        context = contextvars.copy_context()
        context.run(times.arrived.set, before)
        context.run(enter_late)
    assert Mark.objects.count() == 1


def test_of_many_guesses_at_once_ten_are_compared(room: Room) -> None:
    session = room.start()
    rules = check_in_open(session_id=session.id, options=CheckInOptions(Mode.FIXED))
    good = rules.code_at(now())
    wrong = "000000" if good != "000000" else "111111"
    student, where = actor_of(room.students[0]), Where(None, "a phone", "127.0.0.1")
    outcomes = at_once([partial(check_in_by_code, actor=student, code=wrong, where=where)] * 30)
    kinds = Counter(type(outcome) for outcome in outcomes)
    assert kinds.keys() == {errors.WrongCode, limits._Reached}
    assert kinds[errors.WrongCode] <= 10
    for _ in range(10 - kinds[errors.WrongCode]):
        with pytest.raises(errors.WrongCode):
            check_in_by_code(actor=student, code=wrong, where=where)
    with pytest.raises(errors.TooManyRequests):
        check_in_by_code(actor=student, code=good, where=where)


def test_of_two_students_at_once_with_one_scan_one_is_in() -> None:
    room = make_room(2)
    session = room.start()
    rules = check_in_open(session_id=session.id, options=CheckInOptions(Mode.FIXED))
    claim = check_ins.claim_make(session_id=session.id, code=rules.code_at(now()), address=None).claim
    outcomes = at_once(
        [
            partial(check_in_by_claim, actor=actor_of(student), claim=claim, where=Where(None, student.id, None))
            for student in room.students
        ]
    )
    assert Counter(type(outcome) for outcome in outcomes) == {Done: 1, errors.ClaimExpired: 1}
    assert Mark.objects.count() == 1


def test_a_check_in_whose_flag_cannot_be_written_does_not_count(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    session = room.start()
    options = CheckInOptions(Mode.FIXED, Circle(HERE, 50), outside=Answer.FLAG)
    check_in_open(session_id=session.id, options=options)
    enter_now = enter(room, session, FAR)

    def fails(*_: Any) -> None:
        raise errors.NoActiveSession

    monkeypatch.setattr(check_ins, "_flag", fails)
    with pytest.raises(errors.NoActiveSession):
        enter_now()
    assert Mark.objects.count() == 0
