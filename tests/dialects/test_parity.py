"""One scenario through each dialect leaves the same rows, and a mark in one dialect is heard in every other."""

from contextlib import AsyncExitStack
from typing import Any

import pytest

from attendance.models import Attendance, Mark, Session
from tests.dialects.drivers import Driver, discover
from tests.realtime.conftest import People
from tests.support.clients import Room, make_class
from tests.support.processes import ROOT
from tests.support.server import Server

DRIVERS = discover()


def stored(server: Server, room: Room) -> dict[str, Any]:
    """The class's sessions as the database has them, without ids and times."""
    who = {room.teacher.id: "teacher", **{student.id: f"student {at}" for at, student in enumerate(room.students)}}

    def read() -> dict[str, Any]:
        sessions = Session.objects.filter(class_ref_id=room.class_id).order_by("started_at")
        marks = Mark.objects.filter(session__class_ref_id=room.class_id).order_by("session__started_at", "seq")
        records = Attendance.objects.filter(class_ref_id=room.class_id)
        return {
            "sessions": [
                (row.state, row.last_seq, who[row.started_by_id], row.present_count, row.absent_count)
                for row in sessions
            ],
            "ended": [row.ended_at is not None for row in sessions],
            "journal": [(row.seq, who[row.student_id], row.status, who[row.by_id], row.method) for row in marks],
            "records": sorted((who[row.student_id], row.status, row.method) for row in records),
        }

    return server.database.ask(read)


@pytest.fixture
def idle_class(people: People) -> Room:
    """A class of three without a session."""
    return make_class(people.teacher, people.students, start=False)


def test_every_dialect_has_a_driver() -> None:
    packages = {f"dialects.{path.parent.name}" for path in (ROOT / "dialects").glob("*/__init__.py")}
    assert {driver.package for driver in DRIVERS.values()} == packages - {"dialects.socketio"} | {None}
    assert all(issubclass(driver, Driver) for driver in DRIVERS.values())


@pytest.mark.parametrize("name", DRIVERS)
async def test_a_scenario_leaves_the_same_rows_in_every_dialect(server: Server, idle_class: Room, name: str) -> None:
    driver = DRIVERS[name](server, idle_class)
    ravi, mia, noor = idle_class.students
    await driver.start()
    await driver.start()  # the second start resumes it
    assert await driver.own_status(ravi) is None
    await driver.mark(ravi, "present")
    marked = [(1, "student 0", "present", "teacher", "teacher")]
    if driver.marks_absent:
        await driver.mark(mia, "absent")
        await driver.mark(mia, "present")
        marked.append((2, "student 1", "absent", "teacher", "teacher"))
    else:
        await driver.mark(mia, "present")
    marked.append((len(marked) + 1, "student 1", "present", "teacher", "teacher"))
    count, present = await driver.summary()
    assert count == 2
    assert sorted(present) in ([], sorted([ravi.id, mia.id]))
    assert [await driver.own_status(student) for student in (ravi, mia, noor)] == ["present", "present", None]
    await driver.finish()
    assert [await driver.record(student) for student in (ravi, mia, noor)] == ["present", "present", "absent"]
    assert stored(server, idle_class) == {
        "sessions": [("ended", len(marked), "teacher", 2, 1)],
        "ended": [True],
        "journal": marked,
        "records": [
            ("student 0", "present", "teacher"),
            ("student 1", "present", "teacher"),
            ("student 2", "absent", "auto"),
        ],
    }


@pytest.mark.parametrize("name", DRIVERS)
async def test_a_mark_in_one_dialect_is_heard_in_every_other_dialect(server: Server, people: People, name: str) -> None:
    room = make_class(people.teacher, people.students)
    driver = DRIVERS[name](server, room)
    async with AsyncExitStack() as stack:
        listeners = {
            (other, person.role): await stack.enter_async_context(kind(server, room).listen(person))
            for other, kind in DRIVERS.items()
            for person in (room.teacher, room.students[0])
            if person is room.teacher or kind.students_hear_others
        }
        marks = [(room.students[1], "present"), (room.students[2], "absent")]
        for student, status in marks[: 1 + driver.marks_absent]:
            await driver.mark(student, status)
            for who, listener in listeners.items():
                if status == "absent" and not DRIVERS[who[0]].hears_absent:
                    continue
                assert await listener.mark() == (student.id, status), who
