"""A lesson through `/api/v1` against a real server: its routes make and start a class, and marks go over `/ws`."""

import httpx

from tests.dialects.v1.lesson import Lesson
from tests.support.clients import Api, Room, Socket, at_once
from tests.support.server import Server


async def test_a_lesson_from_the_first_account_to_the_records(server: Server) -> None:
    async with Lesson(server, students=3) as lesson:
        here, late, away = lesson.students
        nobody = dict.fromkeys(lesson.students)
        assert await lesson.read_back() == nobody
        await lesson.start()
        assert await lesson.own_status(here) is None
        await lesson.mark(here, "present")
        await lesson.mark(late, "absent")
        assert await lesson.read_back() == {**nobody, here: "present", late: "absent"}
        await lesson.mark(late, "present")
        assert await lesson.summary() == (2, 0)
        assert [await lesson.own_status(student) for student in lesson.students] == ["present", "present", None]
        assert await lesson.finish() == (2, 1)
        assert await lesson.read_back() == {here: "present", late: "present", away: "absent"}
        assert server.database.records(lesson.class_id) == sorted(
            {here: "present", late: "present", away: "absent"}.items()
        )


async def test_a_start_moves_ws_from_another_class_to_this_one(server: Server, api: Api) -> None:
    other = api.make_room(students=1)
    async with Lesson(server, students=1) as lesson, Socket(server.ws_url, other.teacher.token) as desk:
        await desk.mark(other.students[0].id)
        assert (await desk.frame())["event"] == "ATTENDANCE_MARKED"
        await lesson.start()
        await desk.mark(other.students[0].id)
        assert await desk.error() == "No active attendance session"
        assert server.database.states(other.class_id) == ["open"]  # the first class's session stays open, with its mark
    status = other.students[0].data("GET", f"/api/v1/attendance/{other.class_id}/my-attendance")
    assert status == {"classId": other.class_id, "status": "present"}


def test_a_class_that_one_protocol_made_can_be_used_in_the_other(server: Server, api: Api) -> None:
    teacher, student = api.signup("teacher", "Asha RAO"), api.signup("student")
    made = teacher.data("POST", "/api/v1/class", {"className": "Physics"})
    room = Room(teacher, made["_id"], [student])
    teacher.data("POST", f"/class/{room.class_id}/add-student", {"studentId": student.id})
    room.start()
    shown = student.data("GET", f"/api/v1/class/{room.class_id}")[0]
    assert (shown["className"], shown["teacherId"]) == ("Physics", {"name": "asha rao", "email": teacher.email})
    started = teacher.data("POST", "/api/v1/attendance/start", {"className": "Physics"})
    assert (started["_id"], started["studentsIds"]) == (room.class_id, [student.id])
    assert server.database.states(room.class_id) == ["open"]


def test_parallel_requests_for_one_name_make_one_class(server: Server, api: Api) -> None:
    teacher = api.signup("teacher")
    paths = ["/api/v1/class", "/api/v1/class/create-class"]

    def make(number: int) -> httpx.Response:
        return teacher.post(paths[number % 2], {"className": "Art"})

    answers = at_once(make, 16)
    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 15
    again = teacher.post(paths[0], {"className": "Art"})
    assert (again.status_code, again.json()) == (409, {"success": False, "error": "class already exist"})
