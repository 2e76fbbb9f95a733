"""A student who checks in twice at once is in once, and a check-in that looks wrong is flagged before it counts."""

from functools import partial
from typing import Any

import pytest

from attendance import check_ins
from attendance.check_in import Answer, CheckInOptions, Circle, Mode, Place
from attendance.check_in_rules import check_in_now
from attendance.check_ins import Where, check_in_by_code, check_in_open
from attendance.models import Flag, Mark, Session
from core import errors
from core.times import now
from tests.services.conftest import Room, actor_of, at_once, make_room

pytestmark = pytest.mark.django_db(transaction=True)

HERE, FAR = Place(48.8584, 2.2945), Place(48.87, 2.2945)


@pytest.fixture
def room() -> Room:
    return make_room(1)


def enter(room: Room, session: Session, place: Place | None = None) -> Any:
    (code,) = check_in_now(session).good_codes(now())
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
