"""The words of the rooms contract."""

from tests.support.clients import Room
from tests.support.server import Server
from tests.support.socketio import SocketIo, rooms_socket

INVALID = "Invalid message format"
NOT_ACTIVE = "Attendance session not active"
NO_CLASS = "Class not found"
NOT_TEACHER = "Only the session teacher can manage attendance"
NOT_TEACHER_TO_END = "Only the session teacher can end attendance"
NO_TEACHER = "Teacher profile not found"
NO_STUDENT = "Student profile not found"
UNKNOWN_STUDENT = "Student not found"
NOT_ENROLLED = "Student not enrolled in class"
ERROR = "attendanceError"


async def quiet(*sockets: SocketIo) -> None:
    """Checks that no frame waits for these sockets."""
    for socket in sockets:
        await socket.hears_nothing(ERROR, INVALID)


async def open_room(server: Server, room: Room, *names: str) -> list[SocketIo]:
    """Sockets in the class's room: the teacher's, then each student's. The frames of joining have been read.

    `names` has the name by which each of them calls the session; by default it is the class's id.
    """
    sockets = [await rooms_socket(server.url, person.token).__aenter__() for person in (room.teacher, *room.students)]
    teacher, *students = sockets
    called = [*names, *[room.class_id] * (len(sockets) - len(names))]
    await teacher.send("startAttendanceSession", {"session_id": called[0]})
    await teacher.hear("attendanceSessionStarted")
    for student, name in zip(students, called[1:], strict=True):
        await student.send("joinAttendanceSession", {"session_id": name})
        await student.hear("attendanceSessionJoined")
        await teacher.hear("studentJoinedAttendance")
    return sockets


async def close(*sockets: SocketIo) -> None:
    for socket in sockets:
        await socket.__aexit__()
