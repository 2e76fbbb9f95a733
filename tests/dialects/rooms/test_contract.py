"""The rooms dialect, event by event: the frames of the room, the frames of the sender, and the callback's data."""

import asyncio
import re
from collections.abc import Callable
from typing import Any

import pytest

from tests.dialects.rooms.contract import ERROR, INVALID, NOT_ACTIVE, NOT_ENROLLED, close, open_room, quiet
from tests.realtime import contract as canonical
from tests.realtime.conftest import People
from tests.support.clients import FRAME_LIMIT, Api, Person, Room, Socket, make_class
from tests.support.server import Server
from tests.support.socketio import rooms_socket

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


@pytest.fixture
def aside(server: Server, people: People) -> Room:
    """A class without a session."""
    make_class(people.other_teacher, [people.outsider])
    return make_class(people.teacher, people.students[:2], start=False)


def record(name: str, student: Person, status: str | None = None, by: Person | None = None) -> dict[str, Any]:
    """An `attendanceRecord` without its time."""
    return {
        "session_id": name,
        "student_id": student.id,
        "student_name": student.name,
        "status": status,
        "marked_by": by.id if by else None,
    }


def timeless(payload: Any) -> Any:
    """A payload without its times. Each time is checked to be one."""
    match payload:
        case dict():
            for key, value in payload.items():
                if key.endswith("_at"):
                    assert value is None or TIME.fullmatch(value), payload
            return {key: timeless(value) for key, value in payload.items() if not key.endswith("_at")}
        case list():
            return [timeless(value) for value in payload]
    return payload


def counts(total: int, present: int, absent: int) -> dict[str, Any]:
    rate = present / total if total else 0
    unmarked = total - present - absent
    return {"total": total, "present": present, "absent": absent, "unmarked": unmarked, "attendanceRate": rate}


async def test_a_start_is_answered_with_the_session_and_the_roster(server: Server, aside: Room) -> None:
    first, second = aside.students
    async with rooms_socket(server.url, aside.teacher.token) as teacher:
        answer = await teacher.call("startAttendanceSession", {"session_id": aside.class_id})
        assert await teacher.hear("attendanceSessionStarted") == answer
        session_id = server.database.sessions(aside.class_id)[0].id
        assert timeless(answer) == {
            "session_id": aside.class_id,
            "session": {
                "session_id": aside.class_id,
                "_id": session_id,
                "class_id": aside.class_id,
                "className": "Physics",
                "teacher_id": aside.teacher.id,
                "status": "active",
            },
            "totalStudents": 2,
            "attendanceRecords": [record(aside.class_id, first), record(aside.class_id, second)],
        }
        assert answer["session"]["ended_at"] is None
        again = await teacher.call("startAttendanceSession", {"session_id": session_id})
        assert again["session"]["started_at"] == answer["session"]["started_at"]
        assert again["session"]["session_id"] == session_id
    assert len(server.database.sessions(aside.class_id)) == 1


async def test_the_teacher_is_told_of_each_student_who_joins(server: Server, aside: Room) -> None:
    first, second = aside.students
    teacher, student, other = await open_room(server, Room(aside.teacher, aside.class_id, [first, second]))
    async with rooms_socket(server.url, first.token) as again:
        answer = await again.call("joinAttendanceSession", {"session_id": aside.class_id})
        assert await again.hear("attendanceSessionJoined") == answer
        assert answer == {
            "session_id": aside.class_id,
            "message": "Joined the attendance session",
            "attendanceRecord": {**record(aside.class_id, first), "marked_at": None},
        }
        notice = await teacher.hear("studentJoinedAttendance")
        assert timeless(notice) == {
            "session_id": aside.class_id,
            "student_id": first.id,
            "student_name": first.name,
        }
        assert TIME.fullmatch(notice["joined_at"])
        await quiet(teacher, student, other, again)
    await close(teacher, student, other)


async def test_a_student_who_joins_again_learns_their_own_mark(server: Server, aside: Room) -> None:
    first = aside.students[0]
    teacher, student, other = await open_room(server, aside)
    marked = await teacher.call("markStudentPresent", {"session_id": aside.class_id, "student_id": first.id})
    await close(student)
    async with rooms_socket(server.url, first.token) as again:
        answer = await again.call("joinAttendanceSession", {"session_id": aside.class_id})
        assert answer["attendanceRecord"] == marked["attendanceRecord"]
        assert marked["attendanceRecord"]["status"] == "present"
    await close(teacher, other)


@pytest.mark.parametrize(
    ("event", "confirmed", "status"),
    [("markStudentPresent", "studentMarkedPresent", "present"), ("markStudentAbsent", "studentMarkedAbsent", "absent")],
)
async def test_a_mark_is_told_to_the_room_and_confirmed(
    server: Server, aside: Room, event: str, confirmed: str, status: str
) -> None:
    first = aside.students[0]
    teacher, _student, _other = sockets = await open_room(server, aside)
    answer = await teacher.call(event, {"session_id": aside.class_id, "student_id": first.id})
    updates = [await socket.hear("attendanceUpdated") for socket in sockets]
    assert await teacher.hear(confirmed) == answer
    its_record = record(aside.class_id, first, status, aside.teacher)
    assert [timeless(update) for update in updates] == [
        {
            "session_id": aside.class_id,
            "student_id": first.id,
            "status": status,
            "attendanceRecord": its_record,
            "updated_by": aside.teacher.name,
        }
    ] * 3
    assert updates[0]["updated_at"] == updates[0]["attendanceRecord"]["marked_at"]
    assert timeless(answer) == {
        "session_id": aside.class_id,
        "student_id": first.id,
        "attendanceRecord": its_record,
    }
    await quiet(*sockets)
    await close(*sockets)
    assert server.database.journal(aside.class_id) == [(1, first.id, status)]


async def test_a_bulk_update_is_one_message_in_which_a_students_last_entry_counts(server: Server, aside: Room) -> None:
    first, second = aside.students
    teacher, *_ = sockets = await open_room(server, aside)
    updates = [(first, "present"), (second, "present"), (first, "absent")]
    entries = [{"student_id": student.id, "status": status} for student, status in updates]
    payload = {"session_id": aside.class_id, "attendanceUpdates": entries}
    answer = await teacher.call("bulkUpdateAttendance", payload)
    records = [
        record(aside.class_id, first, "absent", aside.teacher),
        record(aside.class_id, second, "present", aside.teacher),
    ]
    for socket in sockets:
        assert timeless(await socket.hear("attendanceBulkUpdated")) == {
            "session_id": aside.class_id,
            "updatedRecords": records,
            "updated_by": aside.teacher.name,
        }
    assert await teacher.hear("attendanceBulkUpdateComplete") == answer
    assert timeless(answer) == {"session_id": aside.class_id, "updatedRecords": records, "totalUpdated": 2}
    await quiet(*sockets)
    await close(*sockets)
    assert server.database.journal(aside.class_id) == [(1, first.id, "absent"), (2, second.id, "present")]


async def test_a_bulk_update_with_one_bad_entry_changes_nothing(server: Server, people: People, aside: Room) -> None:
    teacher, *_ = sockets = await open_room(server, aside)
    good = {"student_id": aside.students[0].id, "status": "present"}
    for bad, message in (
        ({"student_id": people.outsider.id, "status": "present"}, NOT_ENROLLED),
        ({"student_id": "x", "status": "present"}, "Student not found"),
        ({"student_id": aside.students[1].id, "status": "late"}, INVALID),
        ({"student_id": aside.students[1].id}, INVALID),
        (None, INVALID),
    ):
        answer = await teacher.call(
            "bulkUpdateAttendance", {"session_id": aside.class_id, "attendanceUpdates": [good, bad]}
        )
        assert answer == {"message": message}
        assert await teacher.hear(ERROR) == answer
    await quiet(*sockets)
    await close(*sockets)
    assert server.database.journal(aside.class_id) == []


async def test_asking_for_the_data_brings_the_teacher_into_the_room(server: Server, aside: Room) -> None:
    first, second = aside.students
    teacher, *students = await open_room(server, aside)
    await teacher.call("markStudentPresent", {"session_id": aside.class_id, "student_id": second.id})
    async with rooms_socket(server.url, aside.teacher.token) as other:
        answer = await other.call("getAttendanceSessionData", {"session_id": aside.class_id})
        assert await other.hear("attendanceSessionData") == answer
        assert timeless(answer["attendanceRecords"]) == [
            record(aside.class_id, first),
            record(aside.class_id, second, "present", aside.teacher),
        ]
        assert answer["statistics"] == counts(2, 1, 0)
        assert answer["session"]["status"] == "active"
        await teacher.call("markStudentAbsent", {"session_id": aside.class_id, "student_id": first.id})
        assert (await other.hear("attendanceUpdated"))["student_id"] == first.id
    await close(teacher, *students)


async def test_the_end_is_told_with_the_final_data_which_can_be_read_later(server: Server, aside: Room) -> None:
    first, second = aside.students
    teacher, *_students = sockets = await open_room(server, aside)
    await teacher.call("markStudentPresent", {"session_id": aside.class_id, "student_id": first.id})
    for socket in sockets:
        await socket.hear("attendanceUpdated")
    await teacher.hear("studentMarkedPresent")
    answer = await teacher.call("endAttendanceSession", {"session_id": aside.class_id})
    told = [await socket.hear("attendanceSessionEnded") for socket in sockets]
    assert await teacher.hear("attendanceSessionEndedConfirm") == answer
    final = answer["finalData"]
    assert list(answer) == ["session_id", "finalData"]
    assert list(final) == ["session", "attendanceRecords", "statistics"]
    assert final["session"]["status"] == "ended"
    assert timeless(final["attendanceRecords"]) == [
        record(aside.class_id, first, "present", aside.teacher),
        record(aside.class_id, second, "absent"),
    ]
    assert final["statistics"] == counts(2, 1, 1)
    assert (
        told
        == [
            {
                "session_id": aside.class_id,
                "finalData": final,
                "ended_by": aside.teacher.name,
                "ended_at": final["session"]["ended_at"],
            }
        ]
        * 3
    )
    session_id = final["session"]["_id"]
    for name in (aside.class_id, session_id):
        data = await teacher.call("getAttendanceSessionData", {"session_id": name})
        assert await teacher.hear("attendanceSessionData") == data
        assert (data["session"]["_id"], data["session"]["session_id"]) == (session_id, name)
        assert (timeless(data["attendanceRecords"]), data["statistics"]) == (
            [{**entry, "session_id": name} for entry in timeless(final["attendanceRecords"])],
            final["statistics"],
        )
    for event in ("endAttendanceSession", "startAttendanceSession", "markStudentPresent", "subscribeStatistics"):
        payload = {"session_id": session_id, "student_id": first.id}
        assert await teacher.call(event, payload) == {"message": NOT_ACTIVE}
        assert await teacher.hear(ERROR) == {"message": NOT_ACTIVE}
    await quiet(*sockets)
    await close(*sockets)


async def test_each_socket_is_told_the_name_by_which_it_calls_the_session(server: Server, aside: Room) -> None:
    first = aside.students[0]
    async with rooms_socket(server.url, aside.teacher.token) as opener:
        started = await opener.call(
            "startAttendanceSession", {"session_id": f"Room 5 of {aside.class_id}", "class_id": aside.class_id}
        )
    session_id = started["session"]["_id"]
    names = [f"Room 5 of {aside.class_id}", aside.class_id, session_id]
    teacher, student, other = sockets = await open_room(server, aside, *names)
    await teacher.send("markStudentPresent", {"session_id": session_id, "student_id": first.id})
    for socket, name in zip(sockets, names, strict=True):
        update = await socket.hear("attendanceUpdated")
        assert (update["session_id"], update["attendanceRecord"]["session_id"]) == (name, name)
    assert (await teacher.hear("studentMarkedPresent"))["session_id"] == session_id
    await student.call("joinAttendanceSession", {"session_id": session_id})  # the socket uses another name from now on
    assert (await student.hear("attendanceSessionJoined"))["session_id"] == session_id
    assert (await teacher.hear("studentJoinedAttendance"))["session_id"] == names[0]
    await teacher.send("endAttendanceSession", {"session_id": names[0]})
    assert (await teacher.hear("attendanceSessionEnded"))["session_id"] == names[0]
    for socket in (student, other):
        ended = await socket.hear("attendanceSessionEnded")
        assert ended["session_id"] == ended["finalData"]["session"]["session_id"] == session_id
    await close(*sockets)


async def test_marks_of_the_room_reach_ws_and_marks_on_ws_reach_the_room(server: Server, room: Room) -> None:
    first, second = room.students
    teacher, *_students = sockets = await open_room(server, room)  # the session with the focus, by its class's id
    async with Socket(server.ws_url, room.teacher.token) as ws:
        await teacher.send("markStudentAbsent", {"session_id": room.class_id, "student_id": first.id})
        assert await ws.frame() == canonical.marked(first.id, "absent")
        await ws.mark(second.id)
        for socket in sockets:
            heard = await socket.hears("attendanceUpdated", *["studentMarkedAbsent"][: socket is teacher])
            assert heard[0]["student_id"] == first.id
            assert timeless(await socket.hear("attendanceUpdated"))["attendanceRecord"] == record(
                room.class_id, second, "present", room.teacher
            )
        await ws.send("DONE")
        for socket in sockets:
            ended = await socket.hear("attendanceSessionEnded")
            assert ended["finalData"]["statistics"] == counts(2, 1, 1)
    await close(*sockets)


async def test_a_session_without_the_focus_goes_on_in_its_room_and_is_silent_on_ws(
    server: Server, people: People, room: Room
) -> None:
    teacher, *_students = sockets = await open_room(server, room)
    make_class(people.other_teacher, [people.outsider])
    async with Socket(server.ws_url, people.outsider.token) as ws:
        await teacher.call("markStudentPresent", {"session_id": room.class_id, "student_id": room.students[0].id})
        for socket in sockets:
            await socket.hear("attendanceUpdated")
        await teacher.hear("studentMarkedPresent")
        await ws.hears_nothing()
        await teacher.send("startAttendanceSession", {"session_id": room.class_id})
        await teacher.hear("attendanceSessionStarted")
        await ws.send("MY_ATTENDANCE")  # the focus has not moved
        assert await ws.frame() == canonical.mine("not yet updated")
    await close(*sockets)


async def test_a_student_who_is_taken_off_the_roster_hears_nothing_more(
    server: Server, people: People, aside: Room
) -> None:
    from classes.models import Enrolment

    gone, stays = aside.students
    teacher, student, _other = sockets = await open_room(server, aside)
    server.database.ask(lambda: Enrolment.objects.get(class_ref_id=aside.class_id, student_id=gone.id).delete())
    answer: Any = {}
    while answer != {"message": NOT_ENROLLED}:
        answer = await teacher.call("markStudentPresent", {"session_id": aside.class_id, "student_id": gone.id})
    while (await teacher.hear())[0] != ERROR:
        pass
    await teacher.call("markStudentAbsent", {"session_id": aside.class_id, "student_id": stays.id})
    await student.send("a probe")
    heard = await student.hear()
    while heard[0] == "attendanceUpdated":
        assert heard[1]["student_id"] == gone.id  # the frame of the mark before
        heard = await student.hear()
    assert heard[0] == ERROR
    await close(*sockets)


async def test_a_forgotten_session_ends_in_the_room_and_a_voided_one_ends_in_silence(
    make_server: Callable[..., Server],
) -> None:
    server = make_server()
    api = Api(server.url)
    room, empty = api.make_room(1, start=False), api.make_room(1, start=False)
    sockets = [*await open_room(server, room), *await open_room(server, empty)]
    teacher, student, *_ = sockets
    await teacher.call("markStudentPresent", {"session_id": room.class_id, "student_id": room.students[0].id})
    for socket in (teacher, student):
        await socket.hear("attendanceUpdated")
    await teacher.hear("studentMarkedPresent")
    for forgotten in (empty, room):
        server.database.forget(forgotten.class_id)
    for socket in (teacher, student):
        ended = await socket.hear("attendanceSessionEnded")
        assert (ended["ended_by"], ended["finalData"]["statistics"]) == (room.teacher.name, counts(1, 1, 0))
    async with asyncio.timeout(FRAME_LIMIT):
        while server.database.states(empty.class_id) != [
            "voided"
        ]:  # nobody is told of the voided session, before the other's end or after it
            await asyncio.sleep(0.01)
    await quiet(*sockets)
    await close(*sockets)
    assert server.database.states(room.class_id) == ["ended"]
    api.close()
