"""The WebSocket at `/` and `/attentrack`, message by message, against running servers."""

import asyncio
import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from classes.models import Enrolment
from dialects.attentrack.messages import MESSAGES
from tests.dialects.attentrack.app import App
from tests.dialects.attentrack.people import LiveSchool, make_school, roll_number
from tests.realtime.contract import marked
from tests.support.clients import FRAME_LIMIT, Socket
from tests.support.database import Databases
from tests.support.server import Server

pytestmark = pytest.mark.early

HERE = {"latitude": 21.2497, "longitude": 81.6050}
#: About 100 metres north of there.
NEAR = {"latitude": 21.2506, "longitude": 81.6050}


@pytest.fixture
def school(server: Server) -> Iterator[LiveSchool]:
    made = make_school(server)
    yield made
    made.close()


@pytest.fixture
def rolls(server: Server, school: LiveSchool) -> list[str]:
    """The roll numbers of the class's two students and of the other student."""
    return [roll_number(server, user_id) for user_id in school.ids[2:]]


@pytest.fixture(scope="module")
def open_server(databases: Databases) -> Iterator[Server]:
    running = Server(databases.fresh(), ATTENTRACK_OPEN="1").start()
    yield running
    running.close()
    running.assert_clean()


@pytest.mark.parametrize("path", ["", "/", "/attentrack", "/attentrack/"])
async def test_a_teachers_messages_reach_the_teachers_sockets_and_students(school: LiveSchool, path: str) -> None:
    async with (
        school.teacher.socket(path) as teacher,
        school.teacher.socket() as second,
        school.students[0].socket() as student,
    ):
        await teacher.send("first_call", dummy=None)
        await teacher.send("teacherLoc", location=HERE, range=50)
        await teacher.send("time_update", time=10, location={"latitude": 1, "longitude": 2}, range=5, auth=True)
        for socket in (teacher, second, student):
            assert await socket.frame() == {"type": "first_call"}
            assert await socket.frame() == {"type": "teacherLoc", "location": HERE, "range": 50}
            assert await socket.frame() == {
                "type": "time_update2",
                "time": 10,
                "location": {"latitude": 1, "longitude": 2},
                "range": 5,
            }


async def test_a_teachers_messages_reach_nobody_elses_students_and_no_other_teacher(school: LiveSchool) -> None:
    other = make_school(school.server)
    school.open("048213")
    async with (
        school.teacher.socket() as teacher,
        school.students[2].socket() as stranger,  # of no class
        other.teacher.socket() as colleague,
        other.students[0].socket() as theirs,
    ):
        for kind, fields in (("first_call", {}), ("teacherLoc", {"location": HERE}), ("time_update", {"time": 1})):
            await teacher.send(kind, **fields)
            await teacher.frame()
        for socket in (stranger, colleague, theirs):
            await socket.hears_nothing()
        await colleague.send("first_call")
        for socket in (colleague, theirs):
            assert await socket.frame() == {"type": "first_call"}
        for socket in (teacher, stranger):
            await socket.hears_nothing()
    other.close()


async def test_a_check_in_reaches_the_people_of_the_live_class_alone(school: LiveSchool, rolls: list[str]) -> None:
    other = make_school(school.server)
    school.open("048213")
    async with (
        school.teacher.socket() as teacher,
        school.students[0].socket() as asha,
        school.students[1].socket() as ben,
        school.students[2].socket() as stranger,
        other.teacher.socket() as colleague,
    ):
        for _ in range(2):  # the second time the student is present already
            await asha.send("attendance", rollNumber=rolls[0], otp="048213", location=HERE)
            for socket in (teacher, asha, ben):
                assert await socket.frame() == {"type": "attendance2", "rollNumber": rolls[0]}
        for socket in (stranger, colleague):
            await socket.hears_nothing()
    other.close()


async def test_a_student_who_is_taken_off_hears_no_more_of_the_teacher(school: LiveSchool) -> None:
    async with school.teacher.socket() as teacher, school.students[0].socket() as student:
        await teacher.send("first_call")
        assert await student.frame() == await teacher.frame() == {"type": "first_call"}
        school.server.database.ask(lambda: Enrolment.objects.filter(student_id=school.ids[2]).delete())
        await teacher.send("first_call")
        await teacher.frame()
        await student.hears_nothing()


async def test_in_open_mode_messages_reach_every_socket(open_server: Server) -> None:
    school = make_school(open_server)
    nobody = App(open_server.url)
    async with (
        school.teacher.socket() as teacher,
        school.students[2].socket() as stranger,
        nobody.socket() as without_token,
    ):
        await teacher.send("first_call")
        for socket in (teacher, stranger, without_token):
            assert await socket.frame() == {"type": "first_call"}
        await without_token.send("time_update", time=5)
        for socket in (teacher, stranger, without_token):
            assert (await socket.frame())["time"] == 5
    nobody.close()
    school.close()


async def test_a_time_update_is_filled_in_with_the_live_teachers_last_place(school: LiveSchool) -> None:
    async with school.teacher.socket() as teacher:
        await teacher.send("teacherLoc", location={**HERE, "accuracy": 7}, range="50")
        assert (await teacher.frame())["type"] == "teacherLoc"
        school.open()
        for fields in ({}, {"location": None, "range": None}, {"location": "", "range": ""}):
            await teacher.send("time_update", time=0, **fields)
            assert await teacher.frame() == {
                "type": "time_update2",
                "time": 0,
                "location": {**HERE, "accuracy": 7},
                "range": "50",
            }
    other = make_school(school.server)
    other.open()
    async with other.teacher.socket() as teacher:
        await teacher.send("time_update", time=3)
        assert await teacher.frame() == {"type": "time_update2", "time": 3, "location": "", "range": ""}
    other.close()


async def test_a_time_update_is_filled_in_with_its_senders_last_place_while_no_class_is_live(
    school: LiveSchool,
) -> None:
    async with school.teacher.socket() as teacher:
        await teacher.send("teacherLoc", location=HERE, range=40)
        assert (await teacher.frame())["type"] == "teacherLoc"
        for fields, place in (({}, (HERE, 40)), ({"range": 9}, (HERE, 9)), ({"location": "north"}, ("north", 40))):
            await teacher.send("time_update", time=1, **fields)
            update = {"type": "time_update2", "time": 1, "location": place[0], "range": place[1]}
            assert await teacher.frame() == update
    other = make_school(school.server)
    other.open()
    async with school.teacher.socket() as teacher:  # another teacher's class is live, with no place
        await teacher.send("time_update", time=2)
        assert await teacher.frame() == {"type": "time_update2", "time": 2, "location": HERE, "range": 40}
    other.close()


async def test_a_student_marks_themself_by_code_and_place_and_everybody_hears_it(
    server: Server, school: LiveSchool, rolls: list[str]
) -> None:
    async with (
        school.teacher.socket() as teacher,
        school.students[0].socket("") as asha,
        school.students[1].socket() as ben,
        Socket(server.ws_url, school.teacher.token) as canonical,
    ):
        await teacher.send("teacherLoc", location=HERE, range=150)
        for socket in (teacher, asha, ben):
            await socket.frame()
        school.open("048213")
        await asha.send("attendance", rollNumber=rolls[0], otp="048213", location=NEAR)
        for socket in (teacher, asha, ben):
            assert await socket.frame() == {"type": "attendance2", "rollNumber": rolls[0]}
        assert await canonical.frame() == marked(school.ids[2])
        await teacher.send("teacherLoc", location=HERE, range=50)
        for socket in (teacher, asha, ben):
            await socket.frame()
        await ben.send("attendance", rollNumber=rolls[1], otp="048213", location=NEAR)
        assert await ben.error() == "Location not within range"
        await ben.send("attendance", rollNumber=rolls[1], otp="048213")
        assert await ben.error() == "Location missing"
        await ben.send("attendance", rollNumber=rolls[1], otp="048214", location=HERE)
        assert await ben.error() == "Incorrect OTP"
        await ben.send("attendance", rollNumber=rolls[1], location=HERE)
        assert await ben.error() == "Incorrect OTP"
        await teacher.hears_nothing()
    assert server.database.journal(school.class_id) == [(1, school.ids[2], "present")]


async def test_a_mark_made_on_ws_reaches_the_app(server: Server, school: LiveSchool, rolls: list[str]) -> None:
    school.open()
    async with school.teacher.socket() as teacher, Socket(server.ws_url, school.teacher.token) as canonical:
        await canonical.mark(school.ids[2], "absent")
        await canonical.mark(school.ids[3], "present")
        assert await teacher.frame() == {"type": "attendance2", "rollNumber": rolls[1]}


async def test_the_marks_of_a_record_are_not_told_one_by_one(school: LiveSchool, rolls: list[str]) -> None:
    school.open()
    async with school.teacher.socket() as teacher:
        record = {"class_id": school.class_id, "date": "2025-05-17", "records": dict.fromkeys(rolls[:2], True)}
        school.teacher.ask("POST", "/api/attendance/createAttendance", record, status=201)
        school.open()
        async with school.students[0].socket() as asha:
            await asha.send("attendance", rollNumber=rolls[0], otp="123456")
            await asha.frame()
        assert await teacher.frame() == {"type": "attendance2", "rollNumber": rolls[0]}
        await teacher.hears_nothing()


async def test_a_repeated_mark_is_told_again_and_written_once(
    server: Server, school: LiveSchool, rolls: list[str]
) -> None:
    school.open()
    async with school.students[0].socket() as asha:
        for _ in range(2):
            await asha.send("attendance", rollNumber=rolls[0], otp="123456")
            assert await asha.frame() == {"type": "attendance2", "rollNumber": rolls[0]}
    assert len(server.database.journal(school.class_id)) == 1


async def test_nobody_marks_without_a_live_session_or_out_of_their_class(school: LiveSchool, rolls: list[str]) -> None:
    async with school.students[2].socket() as chen, school.students[0].socket() as asha:
        school.open()
        school.teacher.ask(
            "POST",
            "/api/attendance/createAttendance",
            {"class_id": school.class_id, "date": "2025-05-17", "records": {}},
            status=201,
        )
        await asha.send("attendance", rollNumber=rolls[0], otp="123456")
        assert await asha.error() == "No active attendance session"
        school.open()
        await chen.send("attendance", rollNumber=rolls[2], otp="123456")
        assert await chen.error() == "Student not enrolled in class"
        await asha.send("attendance", rollNumber=rolls[1], otp="123456")
        assert await asha.error() == "Forbidden"


async def test_guessing_the_code_ends_after_ten_tries(shared_server_with_limits: Server) -> None:
    with contextlib.closing(make_school(shared_server_with_limits)) as school:
        roll = roll_number(shared_server_with_limits, school.ids[2])
        school.open()
        async with school.students[0].socket() as asha:
            for _ in range(10):
                await asha.send("attendance", rollNumber=roll, otp="000000")
                assert await asha.error() == "Incorrect OTP"
            await asha.send("attendance", rollNumber=roll, otp="123456")
            assert await asha.error() == "Too many requests"


PERMISSIONS = {
    ("time_update", "owner"): "time_update2",
    ("time_update", "other teacher"): "time_update2",
    ("time_update", "student"): "Forbidden, teacher event only",
    ("time_update", "other student"): "Forbidden, teacher event only",
    ("attendance", "owner"): "attendance2",
    ("attendance", "other teacher"): "Forbidden",
    ("attendance", "student"): "attendance2",
    ("attendance", "other student"): "Forbidden",
    ("teacherLoc", "owner"): "teacherLoc",
    ("teacherLoc", "other teacher"): "teacherLoc",
    ("teacherLoc", "student"): "Forbidden, teacher event only",
    ("teacherLoc", "other student"): "Forbidden, teacher event only",
    ("first_call", "owner"): "first_call",
    ("first_call", "other teacher"): "first_call",
    ("first_call", "student"): "Forbidden, teacher event only",
    ("first_call", "other student"): "Forbidden, teacher event only",
}
FIELDS: dict[str, dict[str, Any]] = {"time_update": {"time": 1}, "teacherLoc": {"location": HERE, "range": 10**6}}


def test_the_permission_table_has_every_message() -> None:
    assert {kind for kind, _ in PERMISSIONS} == set(MESSAGES)


@pytest.mark.parametrize(("kind", "who"), PERMISSIONS)
async def test_each_message_answers_each_person_as_the_table_says(
    school: LiveSchool, rolls: list[str], kind: str, who: str
) -> None:
    school.open()
    app = {
        "owner": school.teacher,
        "other teacher": school.other_teacher,
        "student": school.students[0],
        "other student": school.students[1],
    }[who]
    fields = FIELDS.get(kind, {})
    if kind == "attendance":
        fields = {"rollNumber": rolls[0], "otp": "123456", "location": HERE}
    async with app.socket() as socket:
        await socket.send(kind, **fields)
        frame = await socket.frame()
        assert frame.get("message", frame["type"]) == PERMISSIONS[kind, who]


@pytest.mark.parametrize("token", [None, "", "bad"])
async def test_a_socket_without_a_good_token_is_closed(server: Server, token: str | None) -> None:
    async with App(server.url, token).socket() as socket:
        assert await socket.error() == "Unauthorized or invalid token"
        await asyncio.wait_for(socket.connection.wait_closed(), FRAME_LIMIT)
        assert socket.connection.close_code == 4401


async def test_a_disabled_person_hears_nothing_more(school: LiveSchool) -> None:
    async with school.students[0].socket() as asha:
        school.disable(0)
        assert await asha.error() == "Unauthorized or invalid token"
        await asyncio.wait_for(asha.connection.wait_closed(), FRAME_LIMIT)


BAD = ["", "x", "[]", "5", "null", "{}", '{"type":5}', '{"type":"attendance","type":"x"}', '{"type":"NUL\\u0000"}']


@pytest.mark.parametrize("text", [*BAD, b"\x00", '{"type":"attendance"}', '{"type":"attendance","rollNumber":[1]}'])
async def test_a_bad_message_is_answered_and_the_socket_stays_open(school: LiveSchool, text: str | bytes) -> None:
    async with school.students[0].socket() as asha:
        await asha.send_raw(text)
        assert await asha.error() == "Invalid message format"
        await asha.hears_nothing()


async def test_a_range_without_a_place_is_refused(school: LiveSchool) -> None:
    async with school.teacher.socket() as teacher:
        for location in (None, "", {}, {"latitude": 91, "longitude": 0}, {"latitude": "1", "longitude": 2}):
            await teacher.send("teacherLoc", location=location, range=10)
            assert await teacher.error() == "Location missing"


async def test_in_open_mode_the_published_app_needs_no_token(open_server: Server) -> None:
    school = make_school(open_server, with_tokens=False)
    rolls = [roll_number(open_server, user_id) for user_id in school.ids[2:]]
    async with school.teacher.socket("") as teacher, school.students[0].socket("") as asha:
        await teacher.send("teacherLoc", location=HERE, range=10)
        school.open("1")
        await teacher.send("first_call")
        await teacher.send("time_update", time=9)
        await asha.send("attendance", rollNumber=rolls[0])
        for socket in (teacher, asha):
            kinds = [await socket.frame() for _ in range(4)]
            assert sorted(frame["type"] for frame in kinds) == [
                "attendance2",
                "first_call",
                "teacherLoc",
                "time_update2",
            ]
            update = next(frame for frame in kinds if frame["type"] == "time_update2")
            assert (update["location"], update["range"]) == (HERE, 10)
        await asha.send("attendance", rollNumber="nobody")
        assert await asha.error() == "Student not found"
    assert open_server.database.journal(school.class_id) == [(1, school.ids[2], "present")]
    assert "ATTENTRACK_OPEN is on" in open_server.log_text()
    school.close()


async def test_in_open_mode_a_token_that_goes_bad_closes_its_socket_and_no_other(open_server: Server) -> None:
    school = make_school(open_server)
    stranger = App(open_server.url)
    async with stranger.socket() as nobody, school.students[0].socket() as asha:
        await nobody.send("first_call")
        assert await asha.frame() == {"type": "first_call"}
        school.disable(0)
        assert await asha.error() == "Unauthorized or invalid token"
        await asyncio.wait_for(asha.connection.wait_closed(), FRAME_LIMIT)
        assert await nobody.frame() == {"type": "first_call"}
        await nobody.send("first_call")
        assert await nobody.frame() == {"type": "first_call"}
    stranger.close()
    school.close()


@pytest.mark.long
async def test_a_restart_and_another_process_keep_the_live_state(make_server: Callable[..., Server]) -> None:
    first = make_server()
    second = make_server(database=first.database)
    school = make_school(first)
    school.open("777", 30)
    shown = {"currentOTP": "777", "finalTime": 30, "currentId": school.class_id}
    async with school.teacher.socket() as teacher:
        await teacher.send("teacherLoc", location=HERE, range=20)
        await teacher.frame()
    beside = App(second.url, school.teacher.token)
    assert beside.ask("GET", "/getAttendance") == shown
    first.kill()
    first.restart()
    assert school.teacher.ask("GET", "/getAttendance") == shown
    rolls = [roll_number(first, user_id) for user_id in school.ids[2:]]
    async with beside.socket() as teacher, school.students[0].socket() as asha:
        await asha.send("attendance", rollNumber=rolls[0], otp="777", location=NEAR)
        assert await asha.error() == "Location not within range"
        await asha.send("attendance", rollNumber=rolls[0], otp="777", location=HERE)
        assert await asha.frame() == {"type": "attendance2", "rollNumber": rolls[0]}
        assert await teacher.frame() == {"type": "attendance2", "rollNumber": rolls[0]}
    school.close()
    beside.close()
