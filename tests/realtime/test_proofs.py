"""With any sign-up policy but `open`, a teacher who signed up is one once the mailbox is proved, on sockets too."""

import asyncio
from collections.abc import Callable

from accounts.models import User
from accounts.proofs import mailbox_proved
from tests.support.clients import Api, Socket
from tests.support.server import Server
from tests.support.smtp import smtp_server


async def test_a_teachers_socket_ends_with_the_proof_and_the_next_one_is_a_teachers(
    make_server: Callable[..., Server],
) -> None:
    with smtp_server() as (email_url, mailbox):
        server = make_server(SIGNUP="domains", SIGNUP_DOMAINS="example.com", EMAIL_URL=email_url)
        api = Api(server.url)
        teacher, student = api.signup("teacher"), api.signup("student")
        teacher.token = api.login(teacher)
        refused = teacher.post("/class", {"className": "Art"})
        assert (refused.status_code, refused.json()["error"]) == (403, "Forbidden, teacher access required")
        async with Socket(server.ws_url, teacher.token) as socket:
            await socket.send("TODAY_SUMMARY")
            assert await socket.error() == "Forbidden, teacher event only"
            code = await asyncio.to_thread(mailbox.code, teacher.email)
            assert teacher.post("/auth/confirm-email", {"code": str(code)}).status_code == 200
            assert await socket.close_code() == 4401
    assert teacher.get("/auth/me").status_code == 401
    teacher.token = api.login(teacher)
    class_id = teacher.data("POST", "/class", {"className": "Art"})["_id"]
    set_aside = teacher.post(f"/class/{class_id}/add-student", {"studentId": student.id})
    assert (set_aside.status_code, set_aside.json()["error"]) == (
        409,
        "Student has not confirmed the email address yet",
    )
    teacher.data("POST", "/attendance/start", {"classId": class_id})
    async with Socket(server.ws_url, teacher.token) as socket:
        await socket.send("TODAY_SUMMARY")
        assert (await socket.frame())["data"]["total"] == 0
        server.database.ask(lambda: _prove(student.id))
        await socket.mark(student.id)
        assert await socket.frame() == {
            "event": "ATTENDANCE_MARKED",
            "data": {"studentId": student.id, "status": "present"},
        }
    api.close()


def _prove(student_id: str) -> None:
    mailbox_proved(User.objects.get(pk=student_id))
