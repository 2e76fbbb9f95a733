"""The driver's lesson leaves what it says."""

from accounts.models import User
from tests.dialects.attentrack.driver import Driver
from tests.support.clients import Api
from tests.support.server import Server


async def test_a_lesson_by_attentracks_app(server: Server, api: Api) -> None:
    room = api.make_room(students=3, start=False)
    numbers = {student.id: f"roll {at} of {room.class_id}" for at, student in enumerate(room.students)}

    def note() -> None:
        for key, number in numbers.items():
            User.objects.filter(pk=key).update(roll_number=number)

    server.database.ask(note)
    driver = Driver(server.url, room, numbers)
    first, second, third = (student.id for student in room.students)
    await driver.start()
    await driver.mark(first, "present")
    await driver.mark(second, "absent")
    assert await driver.summary() == {"present": 1, "absent": 1, "total": 2}
    assert await driver.own_status(first) is None
    assert await driver.finish() == {"present": 1, "absent": 2, "total": 3}
    assert await driver.read_back() == {first: "present", second: "absent", third: "absent"}
    assert await driver.own_status(second) == "absent"
    assert sorted(server.database.records(room.class_id)) == sorted(
        [(first, "present"), (second, "absent"), (third, "absent")]
    )
