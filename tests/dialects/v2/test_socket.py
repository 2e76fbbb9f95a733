"""`/ws/v2`: who follows what hears what; and what messages do, and how they are answered."""

import asyncio
import json
from typing import Any

import pytest
from django.conf import settings

from tests.dialects.v2.socket import V2Socket
from tests.realtime.conftest import People
from tests.support.asyncapi import check_all
from tests.support.clients import Person, Room, Socket, make_class
from tests.support.server import Server


@pytest.fixture
def room(people: People) -> Room:
    """A class without a session."""
    return make_class(people.teacher, people.students[:2], start=False)


async def opened(server: Server, room: Room, **body: bool) -> str:
    """The id of the class's new session, of which every socket has been told.

    The answer of REST may come before `STARTED`, which a socket that is opened after it would still hear.
    """
    async with V2Socket(server, room.teacher) as socket:
        path = f"/api/v2/classes/{room.class_id}/sessions"
        session = str((await asyncio.to_thread(room.teacher.data, "POST", path, body))["_id"])
        while (await socket.until("STARTED"))["data"]["session"] != session:
            pass
    return session


@pytest.fixture
async def session(server: Server, room: Room) -> str:
    """The id of its open session, which has no focus."""
    return await opened(server, room)


def present(*students: Person, **more: Any) -> list[dict[str, Any]]:
    return [{"studentId": student.id, "status": "present", **more} for student in students]


def statuses(frame: dict[str, Any]) -> list[tuple[str, str | None]]:
    return [(mark["studentId"], mark["status"]) for mark in frame["data"]["marks"]]


# Following


async def test_a_teacher_who_follows_a_session_is_told_its_state_then_all_marks(
    server: Server, room: Room, session: str
) -> None:
    ann, ben = room.students
    async with V2Socket(server, room.teacher) as desk:
        assert desk.hello["data"]["user"]["_id"] == room.teacher.id
        state, _ = await desk.asked("FOLLOW", session=session)
        assert state["data"] == {
            "session": session,
            "className": "Physics",
            "state": "open",
            "startedAt": state["data"]["startedAt"],
            "seq": 0,
            "roster": [{"_id": one.id, "name": one.name, "rollNumber": None} for one in (ann, ben)],
            "marks": [],
            "checkIn": None,
            "flags": [],
        }
        marks, answer = await desk.asked("MARK", session=session, marks=present(ann, ben))
        assert (marks["event"], marks["data"]["seq"], len(marks["data"]["marks"])) == ("MARKS", 2, 2)
        assert answer == {"marks": marks["data"]["marks"], "seq": 2}


async def test_a_student_hears_their_own_marks_alone_and_the_counts(server: Server, room: Room, session: str) -> None:
    ann, ben = room.students
    async with V2Socket(server, room.teacher) as desk, V2Socket(server, ann) as phone:
        await desk.ask("MARK", session=session, marks=present(ben))
        state, counts, _ = await phone.asked("FOLLOW", session=session)
        assert [one["_id"] for one in state["data"]["roster"]] == [ann.id]
        assert (state["data"]["marks"], state["data"]["seq"]) == ([], 1)
        assert counts["data"]["counts"] == {"present": 1, "late": 0, "absent": 0, "excused": 0, "unmarked": 1}
        await desk.ask("MARK", session=session, marks=[*present(ben), {"studentId": ann.id, "status": "late"}])
        heard = await phone.frame()
        assert (heard["event"], statuses(heard)) == ("MARKS", [(ann.id, "late")])
        counts = await phone.frame()
        assert counts["data"]["counts"]["late"] == 1
        await desk.ask("MARK", session=session, marks=present(ben))
        await phone.silence()


async def test_who_comes_back_with_the_last_seq_is_told_the_marks_since(
    server: Server, room: Room, session: str
) -> None:
    ann, ben = room.students
    async with V2Socket(server, room.teacher) as desk, V2Socket(server, ann) as phone:
        await desk.ask("MARK", session=session, marks=present(ann, ben))
        marks, _ = await desk.asked("FOLLOW", session=session, since=1)
        assert (marks["event"], statuses(marks)) == ("MARKS", [(ben.id, "present")])
        marks, *_ = await phone.asked("FOLLOW", session=session, since=1)
        assert (marks["event"], marks["data"]["seq"], statuses(marks)) == ("MARKS", 2, [])
        state, _ = await desk.asked("FOLLOW", session=session, since=9)
        assert state["event"] == "STATE"


async def test_a_follower_of_a_class_is_told_of_sessions_to_come(server: Server, room: Room) -> None:
    path = f"/api/v2/classes/{room.class_id}/sessions"
    async with V2Socket(server, room.teacher) as desk, V2Socket(server, room.students[0]) as phone:
        assert await desk.ask("FOLLOW", class_=room.class_id) is None
        session = await asyncio.to_thread(room.teacher.data, "POST", path, {})
        started, state = await desk.frames(2)
        assert started["data"] == {"session": session["_id"], "classId": room.class_id, "className": "Physics"}
        assert (state["event"], state["data"]["session"]) == ("STATE", session["_id"])
        assert (await phone.frame()) == started  # connected is enough
        await desk.asked("MARK", session=session["_id"], marks=present(*room.students))
        await phone.silence()


async def test_many_lessons_are_followed_at_once_and_none_is_the_focus(
    server: Server, people: People, room: Room, session: str
) -> None:
    other = make_class(people.teacher, people.students[1:], start=False)
    second = await opened(server, other)
    async with V2Socket(server, people.teacher) as desk:
        for one in (session, second):
            await desk.asked("FOLLOW", session=one)
        for one in (session, second):
            marks, _ = await desk.asked("MARK", session=one, marks=present(people.students[1]))
            assert marks["data"]["session"] == one
    async with Socket(server.ws_url, people.teacher.token) as canonical:
        await canonical.mark(people.students[1].id)
        assert await canonical.error() == "No active attendance session"


async def test_who_unfollows_hears_nothing_more(server: Server, room: Room, session: str) -> None:
    async with V2Socket(server, room.teacher) as desk, V2Socket(server, room.students[0]) as phone:
        for socket in (desk, phone):
            await socket.asked("FOLLOW", session=session)
            assert await socket.ask("UNFOLLOW", session=session) is None
        await desk.ask("MARK", session=session, marks=present(room.students[0]))
        await phone.silence()


async def test_a_student_who_is_taken_off_the_roster_hears_nothing_more(
    server: Server, room: Room, session: str
) -> None:
    ann, ben = room.students
    async with V2Socket(server, room.teacher) as desk, V2Socket(server, ann) as phone:
        await desk.asked("FOLLOW", session=session)
        await phone.asked("FOLLOW", session=session)
        path = f"/api/v2/classes/{room.class_id}/students/{ann.id}"
        await asyncio.to_thread(room.teacher.request, "DELETE", path)
        told = await desk.until("ROSTER")
        assert [one["_id"] for one in told["data"]["roster"]] == [ben.id]
        await desk.asked("END", session=session)
        assert "ENDED" not in [frame["event"] for frame in (await phone.asked("PING", t=1))[:-1]]


async def test_an_enrolled_student_is_on_the_roster_at_once(
    server: Server, people: People, room: Room, session: str
) -> None:
    new = people.students[2]
    async with V2Socket(server, room.teacher) as desk, V2Socket(server, new) as phone:
        await desk.asked("FOLLOW", session=session)
        assert await phone.ask("FOLLOW", session=session) == "session_not_found"
        path = f"/api/v2/classes/{room.class_id}/students"
        await asyncio.to_thread(room.teacher.data, "POST", path, {"studentId": new.id})
        assert len((await desk.until("ROSTER"))["data"]["roster"]) == 3
        assert (await phone.asked("FOLLOW", session=session))[0]["event"] == "STATE"
        marks, _ = await desk.asked("MARK", session=session, marks=present(new))
        assert statuses(marks) == [(new.id, "present")]


# What teachers do


async def test_marks_of_rest_reach_the_socket_and_marks_of_the_socket_are_there_for_rest(
    server: Server, room: Room, session: str
) -> None:
    ann, ben = room.students
    async with V2Socket(server, room.teacher) as desk:
        await desk.asked("FOLLOW", session=session)
        path = f"/api/v2/sessions/{session}/marks"
        made = await asyncio.to_thread(room.teacher.data, "POST", path, {"marks": present(ann, note="hi")})
        assert (await desk.frame())["data"]["marks"] == made["marks"]
        await desk.asked("MARK", session=session, marks=[{"studentId": ben.id, "status": "excused"}])
        shown = room.teacher.data("GET", f"/api/v2/sessions/{session}")
        assert [line["status"] for line in shown["roster"]] == ["present", "excused"]


async def test_the_rest_and_undo_are_told_like_other_marks(server: Server, room: Room, session: str) -> None:
    ann, ben = room.students
    async with V2Socket(server, room.teacher) as desk:
        await desk.asked("FOLLOW", session=session)
        await desk.asked("MARK", session=session, marks=present(ann))
        told, answer = await desk.asked("REST", session=session, status="absent")
        assert (statuses(told), answer["marks"]) == ([(ben.id, "absent")], told["data"]["marks"])
        told, answer = await desk.asked("UNDO", session=session)
        assert statuses(told) == [(ben.id, None)]
        assert answer["undone"] == [{"studentId": ben.id, "status": "absent"}]
        await desk.asked("UNDO", session=session)
        assert await desk.ask("UNDO", session=session) == "nothing_to_undo"


async def test_a_queue_of_marks_is_accepted_once(server: Server, room: Room, session: str) -> None:
    queue = [{"studentId": one.id, "status": "present", "key": f"k{at}"} for at, one in enumerate(room.students)]
    async with V2Socket(server, room.teacher) as desk:
        first = await desk.ask("MARK", session=session, marks=queue)
        assert await desk.ask("MARK", session=session, marks=queue) == first
        assert await desk.ask("MARK", session=session, marks=[{**queue[0], "status": "late"}]) == "key_reused"
        assert await desk.ask("END", session=session) == {
            "seq": 2,
            "counts": {"present": 2, "late": 0, "absent": 0, "excused": 0, "unmarked": 0},
        }
        assert await desk.ask("MARK", session=session, marks=queue) == first
        assert await desk.ask("MARK", session=session, marks=present(room.students[0])) == "no_active_session"


async def test_the_end_and_the_reopening_are_told_to_those_who_followed(
    server: Server, room: Room, session: str
) -> None:
    ann, _ = room.students
    async with V2Socket(server, room.teacher) as desk, V2Socket(server, ann) as phone:
        await desk.asked("MARK", session=session, marks=present(ann))
        for socket in (desk, phone):
            await socket.asked("FOLLOW", session=session)
        await desk.asked("END", session=session)
        ended = await phone.until("ENDED")
        assert ended["data"] == {
            "session": session,
            "seq": 1,
            "counts": {"present": 1, "late": 0, "absent": 1, "excused": 0, "unmarked": 0},
        }
        await asyncio.to_thread(room.teacher.data, "POST", f"/api/v2/sessions/{session}/reopen", {})
        for socket in (desk, phone):
            assert (await socket.until("REOPENED"))["data"] == {"session": session}
            state = await socket.until("STATE")
            assert (state["data"]["state"], statuses(state)) == ("open", [(ann.id, "present")])
        await desk.asked("MARK", session=session, marks=[{"studentId": ann.id, "status": "late"}])
        assert statuses(await phone.until("MARKS")) == [(ann.id, "late")]


async def test_a_session_that_is_over_can_be_followed_until_it_is_reopened(
    server: Server, room: Room, session: str
) -> None:
    ann, _ = room.students
    async with V2Socket(server, room.teacher) as desk, V2Socket(server, ann) as phone:
        await desk.asked("MARK", session=session, marks=present(*room.students))
        await desk.asked("END", session=session)
        state, _ = await desk.asked("FOLLOW", session=session, since=2)
        assert (state["data"]["state"], len(state["data"]["marks"])) == ("ended", 2)
        state, _ = await phone.asked("FOLLOW", session=session)
        assert statuses(state) == [(ann.id, "present")]
        await asyncio.to_thread(room.teacher.data, "POST", f"/api/v2/sessions/{session}/reopen", {})
        await phone.until("REOPENED")


async def test_clients_of_the_published_protocol_notice_nothing(server: Server, room: Room) -> None:
    ann, ben = room.students
    path = f"/api/v2/classes/{room.class_id}/sessions"
    session = room.teacher.data("POST", path, {"focus": True})["_id"]
    async with V2Socket(server, room.teacher) as desk, Socket(server.ws_url, ann.token) as canonical:
        marks = [{"studentId": ann.id, "status": "late"}, {"studentId": ben.id, "status": "excused", "note": "ill"}]
        await desk.ask("MARK", session=session, marks=marks)
        await desk.ask("UNDO", session=session)
        await desk.ask("END", session=session)
        heard = [await canonical.frame() for _ in range(5)]
    assert [frame["data"] for frame in heard] == [
        {"studentId": ann.id, "status": "present"},
        {"studentId": ben.id, "status": "absent"},
        {"studentId": ann.id, "status": "absent"},
        {"studentId": ben.id, "status": "absent"},
        {"message": "Attendance persisted", "present": 0, "absent": 2, "total": 2},
    ]


# Self check-in

HERE = {"latitude": 48.8584, "longitude": 2.2945}
FAR = {"latitude": 48.87, "longitude": 2.2945}


async def test_students_check_in_by_the_code_that_teachers_are_told(server: Server, room: Room, session: str) -> None:
    ann, ben = room.students
    how = {"mode": "rotating", "place": HERE, "range": 50, "outside": "flag"}
    async with V2Socket(server, room.teacher) as desk, V2Socket(server, ann) as phone:
        await desk.asked("FOLLOW", session=session)
        await phone.asked("FOLLOW", session=session)
        path = f"/api/v2/sessions/{session}/check-in"
        await asyncio.to_thread(room.teacher.data, "PUT", path, how)
        opened, code = await desk.until("CHECK_IN"), await desk.until("CODE")
        assert (opened["data"]["checkIn"]["place"], opened["data"]["checkIn"]["range"]) == (HERE, 50)
        assert (await phone.until("CHECK_IN"))["data"]["checkIn"]["place"] is None
        *told, answer = await phone.asked("CHECK_IN", code=code["data"]["code"], place=FAR)
        assert answer == {"session": session, "className": "Physics", "status": "present", "flags": ["out_of_range"]}
        assert statuses(told[0]) == [(ann.id, "present")]
        heard: dict[str, dict[str, Any]] = {}
        while not heard.keys() >= {"FLAG", "MARKS"}:  # a flag is found by a look, a mark is told at once
            frame = await desk.frame()
            heard[frame["event"]] = frame
        flag = heard["FLAG"]["data"]["flag"]
        assert (flag["studentId"], flag["state"]) == (ann.id, "open")
        assert statuses(heard["MARKS"]) == [(ann.id, "present")]
        state, again, _ = await desk.asked("FOLLOW", session=session)
        assert (state["data"]["flags"], state["data"]["checkIn"]) == ([flag], opened["data"]["checkIn"])
        assert again["event"] == "CODE"
        path = f"/api/v2/sessions/{session}/flags/{flag['_id']}"
        await asyncio.to_thread(room.teacher.data, "POST", path, {"confirm": False})
        assert statuses(await phone.until("MARKS")) == [(ann.id, None)]
        assert (await desk.until("FLAG"))["data"]["flag"]["state"] == "rejected"
        async with V2Socket(server, ben) as other:
            assert await other.ask("CHECK_IN", code="x") == "wrong_code"


async def test_a_student_of_the_published_protocol_checks_in_to_the_active_session(server: Server, room: Room) -> None:
    ann, _ = room.students
    session = await opened(server, room, focus=True)
    room.teacher.data("PUT", f"/api/v2/sessions/{session}/check-in", {"mode": "fixed"})
    code = room.teacher.data("GET", f"/api/v2/sessions/{session}/check-in/code")["code"]
    async with Socket(server.ws_url, ann.token) as phone:
        await phone.send("CHECK_IN", {"code": "x"})
        assert await phone.error() == "Incorrect OTP"
        await phone.send("CHECK_IN", {"code": code})
        assert await phone.frames(2) == [
            {"event": "ATTENDANCE_MARKED", "data": {"studentId": ann.id, "status": "present"}},
            {"event": "MY_ATTENDANCE", "data": {"status": "present"}},
        ]
    room.teacher.data("POST", f"/api/v2/sessions/{session}/end", {})


# Answers


async def test_a_message_without_an_id_is_answered_only_if_it_fails(server: Server, room: Room, session: str) -> None:
    async with V2Socket(server, room.teacher) as desk:
        await desk.send("FOLLOW", {"session": session})
        assert (await desk.frame())["event"] == "STATE"
        await desk.send("MARK", {"session": session, "marks": present(room.students[0])})
        assert (await desk.frame())["event"] == "MARKS"
        await desk.send("NOTHING", {})
        assert await desk.frame() == {"event": "ERROR", "data": {"code": "unknown_event", "message": "Unknown event"}}


@pytest.mark.parametrize(
    ("text", "request_id"),
    [
        ("{", None),
        ("[]", None),
        ('{"id":1}', 1),
        ('{"event":5,"id":"a"}', "a"),
        ('{"event":"MARK","id":true}', True),
        ('{"event":"MARK","id":{"a":[1]}}', {"a": [1]}),
        ('{"event":"MARK","id":null}', None),
        ('{"event":"MARK","id":"a","data":{"note":"\\u0000"}}', "a"),
        ('{"event":"MARK","id":7,"data":{"note":"\\ud800"}}', 7),
        ('{"event":"MARK","id":"\\u0000"}', "\0"),
        ('{"event":"MARK","id":"\\ud800"}', None),
        ('{"event":"MARK","id":7,"data":NaN}', 7),
        ('{"event":"MARK","id":NaN}', None),
        ('{"event":"MARK","id":1' + "0" * 30 + "}", 10**30),
        ('{"event":"MARK","id":7,"data":' + "[" * 40 + "]" * 40 + "}", 7),
        ('{"event":"MARK","id":7,"data":' + "[" * 9000 + "]" * 9000 + "}", None),
        ('{"event":"FOLLOW","data":{},"id":2}', 2),
        ('{"event":"FOLLOW","data":{"session":"x","class":"x"},"id":2}', 2),
        ('{"event":"FOLLOW","data":{"session":5},"id":2}', 2),
    ],
)
async def test_a_malformed_message_is_answered_and_the_socket_stays(
    server: Server, people: People, text: str, request_id: Any
) -> None:
    async with V2Socket(server, people.teacher) as desk:
        await desk.send_raw(text)
        found = await desk.frame()
        assert (found["data"]["code"], found.get("id")) == ("invalid_schema", request_id)
        await desk.hears_nothing()


@pytest.mark.parametrize(
    "change",
    [
        {"marks": []},
        {"marks": [{"studentId": "x" * 24, "status": "present", "at": "noon"}]},
        {"marks": [{"studentId": "f" * 24, "status": "gone"}]},
        {"marks": [{"status": "late"}]},
        {"marks": [{"studentId": "f" * 24, "status": "late"}] * 1001},
        {"marks": [{"studentId": "f" * 24, "status": "late", "key": ""}]},
    ],
)
async def test_marks_that_are_none_change_nothing(
    server: Server, room: Room, session: str, change: dict[str, Any]
) -> None:
    async with V2Socket(server, room.teacher) as desk:
        assert await desk.ask("MARK", session=session, **change) in ("invalid_schema", "student_not_enrolled")
    assert room.teacher.data("GET", f"/api/v2/sessions/{session}")["seq"] == 0


async def test_a_bad_token_closes_the_socket(server: Server) -> None:
    async with Socket(f"{server.ws_url}/v2", "bad") as socket:
        assert (await socket.frame())["data"]["code"] == "unauthorized"
        assert await socket.close_code() == 4401


@pytest.mark.parametrize(
    "headers",
    [
        {"Accept-Language": "de-AT,de;q=0.9,en;q=0.5"},
        {"Accept-Language": "fr", "Cookie": f"other=1; {settings.LANGUAGE_COOKIE_NAME}=de"},
    ],
)
async def test_errors_are_told_in_the_language_of_the_handshake(
    server: Server, people: People, headers: dict[str, str]
) -> None:
    async with V2Socket(server, people.teacher, additional_headers=headers) as desk:
        await desk.send_raw('{"event":"DANCE","id":1}')
        assert (await desk.frame())["data"] == {
            "code": "unknown_event",
            "message": "So eine Nachricht gibt es hier nicht.",
        }
    async with Socket(f"{server.ws_url}/v2", "bad", additional_headers=headers) as stranger:
        told = {"code": "unauthorized", "message": "Melden Sie sich bitte noch einmal an."}
        assert (await stranger.frame())["data"] == told
    async with V2Socket(server, people.teacher) as plain:
        await plain.send_raw('{"event":"DANCE","id":1}')
        assert (await plain.frame())["data"]["message"] == "Unknown event"


async def test_a_teacher_is_told_of_a_student_who_is_on_no_list_in_words_for_a_teacher(
    server: Server, room: Room, people: People, session: str
) -> None:
    async with V2Socket(server, room.teacher, additional_headers={"Accept-Language": "de"}) as desk:
        mark = {"session": session, "marks": present(people.students[2])}
        await desk.send_raw(json.dumps({"event": "MARK", "id": 1, "data": mark}))
        told = "Diese Person steht nicht oder nicht mehr auf der Liste der Klasse."
        assert (await desk.frame())["data"] == {"code": "student_not_enrolled", "message": told}


async def test_the_token_may_stand_in_the_subprotocols(server: Server, people: People) -> None:
    options: Any = {"subprotocols": ["attendance.v2", people.teacher.token]}
    async with Socket(f"{server.ws_url}/v2", None, **options) as socket:
        assert (await socket.frame())["event"] == "HELLO"
        assert socket.connection.subprotocol == "attendance.v2"


async def test_the_socket_says_what_the_document_says(server: Server, room: Room) -> None:
    ann, _ = room.students
    heard: list[dict[str, Any]] = []
    path = f"/api/v2/classes/{room.class_id}"
    async with V2Socket(server, room.teacher) as desk, V2Socket(server, ann) as phone:
        heard += [desk.hello, *(await desk.asked("FOLLOW", class_=room.class_id))[:-1]]
        session = (await asyncio.to_thread(room.teacher.data, "POST", f"{path}/sessions", {}))["_id"]
        heard += await desk.frames(2)
        heard += (await phone.asked("FOLLOW", session=session))[:-1]
        heard += (await desk.asked("MARK", session=session, marks=present(ann)))[:-1]
        how = {"mode": "fixed", "place": HERE, "range": 50, "outside": "flag"}
        await asyncio.to_thread(room.teacher.data, "PUT", f"/api/v2/sessions/{session}/check-in", how)
        heard += [await desk.until("CHECK_IN"), await desk.until("CODE")]
        await desk.asked("UNDO", session=session)
        await phone.asked("CHECK_IN", code=heard[-1]["data"]["code"], place=FAR)
        heard.append(await desk.until("FLAG"))
        await asyncio.to_thread(room.teacher.request, "DELETE", f"{path}/students/{room.students[1].id}")
        heard.append(await desk.until("ROSTER"))
        heard += (await desk.asked("END", session=session))[:-1]
        await asyncio.to_thread(room.teacher.data, "POST", f"/api/v2/sessions/{session}/reopen", {})
        heard.append(await desk.until("REOPENED"))
        for text in ('{"event":"PING","id":1}', '{"event":"PANG","id":1}'):
            await desk.send_raw(text)
        heard += [await desk.until(event) for event in ("PONG", "OK", "ERROR")]
    check_all("v2Send", [(frame["event"], frame) for frame in heard])
