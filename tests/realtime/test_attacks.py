"""Each attack of `tests.programs.attack`, in short: what is beyond a limit is refused, and the lesson goes on."""

from collections.abc import Iterator

import pytest

from tests.programs.attack import ATTACKS, UNREFUSED, Lesson, Target, attack
from tests.support.clients import PASSWORD, Api, Socket
from tests.support.database import Databases
from tests.support.server import Server, only_serve

pytestmark = [
    pytest.mark.long,
    pytest.mark.one_database("What the attacks meet is counted in the process, or tested by itself on each database."),
    only_serve,
]

#: So much of everything; the server's limits are far below.
MOST = 120
#: It is over long before, seconds.
SOON = 60.0

#: The attacks that are not one of so many seconds and so much.
ROUNDS = {
    # A teacher whose focus was taken takes it back.
    "focus": [(SOON, MOST // 5)] * 5,
    # They are held for so long. A busy server has read few of them by then, and they are sent again.
    "bodies": [(5.0, MOST), (10.0, MOST), (20.0, MOST)],
}

LIMITS = {
    "MARKS": 1,
    "MESSAGES": 1,
    "SYNCS": 1,
    "BROADCASTS": 1,
    "ACCOUNT_SOCKETS": 5,
    "ACCOUNT_OPENINGS": 1,
    "HANDSHAKES": 10,
    "BODIES": 8,
    "SIGNUPS": 20,
    "CLASSES": 20,
}


@pytest.fixture
def server(databases: Databases, request: pytest.FixtureRequest) -> Iterator[Server]:
    mode = "single" if "focus" in request.node.name else "per-class"
    few = {f"LIMIT_{name}": str(number) for name, number in LIMITS.items()}
    with Server(databases.fresh(), LIVE_SESSIONS=mode, **few) as running:
        yield running
        running.assert_clean()


@pytest.mark.parametrize("name", ATTACKS)
async def test_an_attack_is_refused_and_the_lesson_goes_on(server: Server, api: Api, name: str) -> None:
    lesson = Lesson.begin(server, api)
    teacher, student = lesson.room.teacher, lesson.room.students[0]
    signed_in = api.http.post("/auth/login", json={"email": teacher.email, "password": PASSWORD})
    assert signed_in.status_code == 200  # from now on the server knows the owner's device
    async with Socket(server.ws_url, teacher.token) as socket:
        await socket.mark(student.id)  # the lesson is in use
        assert (await socket.frame())["event"] == "ATTENDANCE_MARKED"
        sent = refused = 0
        for seconds, most in ROUNDS.get(name, [(SOON, MOST)]):
            if name == "bodies" and refused:
                break
            tally = await attack(name, lesson.target, seconds=seconds, most=most)
            sent, refused = sent + tally.sent, refused + tally.refused
            lesson.room.start()
            await socket.mark(student.id, "absent")
            while (frame := await socket.frame())["event"] != "ATTENDANCE_MARKED":
                assert name == "messages", frame  # what the attacker said to everybody
        assert sent >= 100
        assert refused > 0 or name in UNREFUSED
    assert teacher.get("/auth/me").status_code == 200
    again = api.http.post("/auth/login", json={"email": teacher.email, "password": PASSWORD})
    assert again.status_code == 200, "the owner of the account is not locked out"


def test_another_machine_is_not_attacked() -> None:
    with pytest.raises(ValueError, match="this machine"):
        Target(80, "", "", "", (), "", "", host="192.0.2.1")
