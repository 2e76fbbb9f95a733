"""Whoever guesses a lesson's code over AttenTrack's socket has ten tries."""

from collections.abc import Iterator

import pytest

from tests.dialects.attentrack.people import LiveSchool, make_school, roll_number
from tests.support.server import Server


@pytest.fixture(scope="module")
def server(shared_server_with_limits: Server) -> Iterator[Server]:
    with shared_server_with_limits.clean_log():
        yield shared_server_with_limits


@pytest.fixture
def school(server: Server) -> Iterator[LiveSchool]:
    made = make_school(server)
    yield made
    made.close()


@pytest.fixture
def rolls(server: Server, school: LiveSchool) -> list[str]:
    """The roll numbers of the class's two students and of the other student."""
    return [roll_number(server, user_id) for user_id in school.ids[2:]]


async def test_guessing_the_code_ends_after_ten_tries(school: LiveSchool, rolls: list[str]) -> None:
    school.open()
    async with school.students[0].socket() as asha:
        for _ in range(10):
            await asha.send("attendance", rollNumber=rolls[0], otp="000000")
            assert await asha.error() == "Incorrect OTP"
        await asha.send("attendance", rollNumber=rolls[0], otp="123456")
        assert await asha.error() == "Too many requests"
